package ec2

import (
	"strings"

	"tegata/awsfake/wire"
)

// An Image is one that an instance was launched from.
type Image struct {
	ID           string // ami-…
	Architecture string // x86_64 or arm64
	RootDevice   string
	IMDSSupport  string // v2.0, or "" for what it is without
}

type describeImagesInput struct {
	try
	listing
	IDs    []string `query:"ImageId"`
	Owners []string `query:"Owner"`
}

type describedImage struct {
	ID             string `xml:"imageId"`
	Name           string `xml:"name"`
	Owner          string `xml:"imageOwnerId"`
	State          string `xml:"imageState"`
	Public         bool   `xml:"isPublic"`
	Architecture   string `xml:"architecture"`
	Type           string `xml:"imageType"`
	RootDeviceType string `xml:"rootDeviceType"`
	RootDevice     string `xml:"rootDeviceName"`
	Virtualization string `xml:"virtualizationType"`
	Hypervisor     string `xml:"hypervisor"`
	ENA            bool   `xml:"enaSupport"`
	Platform       string `xml:"platformDetails"`
	IMDSSupport    string `xml:"imdsSupport,omitempty"`
}

type describedImages struct {
	Images    []describedImage `xml:"imagesSet>item"`
	NextToken string           `xml:"nextToken,omitempty"`
}

// describeImages tells of the images that instances were launched from, which
// are taken for the account's own
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html).
func (s *Service) describeImages(c *wire.Call, in describeImagesInput) (describedImages, error) {
	for _, id := range in.IDs {
		if err := checkID("InvalidAMIID", "ami-", id); err != nil {
			return describedImages{}, err
		}
	}
	if err := in.allow(c, "DescribeImages", "*", nil); err != nil {
		return describedImages{}, err
	}
	var all []describedImage
	for _, i := range inOrder(s.State.at(c.Region).Images) {
		all = append(all, i.describe(c.Account))
	}
	if len(in.Owners) > 0 {
		in.Filters = append(in.Filters, filter{"owner-id", owners(in.Owners, c.Account)})
	}
	part, next, err := selected(in.listing, in.IDs, all, func(i describedImage) string { return i.ID }, describedImage.filter, noImage)
	return describedImages{part, next}, err
}

func owners(named []string, account string) []string {
	var all []string
	for _, name := range named {
		all = append(all, strings.Replace(name, "self", account, 1))
	}
	return all
}

func noImage(id string) error {
	return wire.Refuse("InvalidAMIID.NotFound", "The image id '["+id+"]' does not exist")
}

func (i *Image) describe(account string) describedImage {
	return describedImage{
		ID: i.ID, Name: i.ID, Owner: account, State: "available", Architecture: i.Architecture, Type: "machine",
		RootDeviceType: "ebs", RootDevice: i.RootDevice, Virtualization: "hvm", Hypervisor: "xen", ENA: true,
		Platform: "Linux/UNIX", IMDSSupport: i.IMDSSupport,
	}
}

func (i describedImage) filter(name string) ([]string, bool) {
	switch name {
	case "image-id":
		return one(i.ID), true
	case "name":
		return one(i.Name), true
	case "owner-id":
		return one(i.Owner), true
	case "state":
		return one(i.State), true
	case "architecture":
		return one(i.Architecture), true
	case "image-type":
		return one(i.Type), true
	case "root-device-type":
		return one(i.RootDeviceType), true
	case "root-device-name":
		return one(i.RootDevice), true
	case "virtualization-type":
		return one(i.Virtualization), true
	case "hypervisor":
		return one(i.Hypervisor), true
	case "is-public":
		return one("false"), true
	case "ena-support":
		return one("true"), true
	case "owner-alias", "platform", "description", "creation-date", "source-instance-id", "product-code":
		return nil, true
	}
	return tagFilter(nil, name)
}

type imageAttributeInput struct {
	try
	ImageID   string `query:"ImageId"`
	Attribute string
}

type attributeValue struct {
	Value string `xml:"value"`
}

type imageAttribute struct {
	ImageID     string         `xml:"imageId"`
	IMDSSupport *optionalValue `xml:"imdsSupport"`
	Description *optionalValue `xml:"description"`
}

// describeImageAttribute tells imdsSupport and description
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageAttribute.html).
func (s *Service) describeImageAttribute(c *wire.Call, in imageAttributeInput) (imageAttribute, error) {
	var none imageAttribute
	if err := checkImage(in.ImageID); err != nil {
		return none, err
	}
	if in.Attribute == "" {
		return none, missing("Attribute")
	}
	if err := in.allow(c, "DescribeImageAttribute", imageARN(c, in.ImageID), nil); err != nil {
		return none, err
	}
	i := s.State.at(c.Region).Images[in.ImageID]
	if i == nil {
		return none, noImage(in.ImageID)
	}
	answer := imageAttribute{ImageID: i.ID}
	switch in.Attribute {
	case "imdsSupport":
		answer.IMDSSupport = &optionalValue{i.IMDSSupport}
	case "description":
		answer.Description = &optionalValue{}
	default:
		return none, unknownAttribute(in.Attribute)
	}
	return answer, nil
}

func checkImage(id string) error {
	if id == "" {
		return missing("ImageId")
	}
	return checkID("InvalidAMIID", "ami-", id)
}

func unknownAttribute(name string) error {
	return invalidValue("Value (" + name + ") for parameter attribute is invalid. Unknown attribute.")
}

type modifyImageInput struct {
	try
	ImageID     string `query:"ImageId"`
	Attribute   string
	Value       string
	IMDSSupport *struct{ Value string } `query:"ImdsSupport"`
}

// modifyImageAttribute says that an image's programs speak IMDSv2, which
// cannot be taken back
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html).
func (s *Service) modifyImageAttribute(c *wire.Call, in modifyImageInput) (done, error) {
	if err := checkImage(in.ImageID); err != nil {
		return done{}, err
	}
	if in.IMDSSupport == nil && in.Attribute == "imdsSupport" {
		in.IMDSSupport = &struct{ Value string }{in.Value}
	}
	if err := in.allow(c, "ModifyImageAttribute", imageARN(c, in.ImageID), nil); err != nil {
		return done{}, err
	}
	i := s.State.at(c.Region).Images[in.ImageID]
	switch {
	case i == nil:
		return done{}, noImage(in.ImageID)
	case in.IMDSSupport == nil && in.Attribute != "":
		return done{}, unknownAttribute(in.Attribute)
	case in.IMDSSupport == nil:
		return done{}, wire.Refuse("InvalidParameterCombination", "No attributes specified.")
	case in.IMDSSupport.Value != "v2.0":
		return done{}, invalidValue("Value (" + in.IMDSSupport.Value + ") for parameter imdsSupport is invalid. Specify 'v2.0' and try again.")
	}
	i.IMDSSupport = in.IMDSSupport.Value
	return done{true}, nil
}
