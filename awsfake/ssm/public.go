package ssm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// Where the parameters of AWS itself are
// (https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html).
const (
	publicPath    = "/aws/service/"
	regionsPath   = publicPath + "global-infrastructure/regions/"
	imagesPath    = publicPath + "ami-amazon-linux-latest/"
	referencePath = "/aws/reference/secretsmanager/"
)

func isPublic(c *wire.Call, name string) bool {
	return strings.HasPrefix(name, publicPath) || strings.HasPrefix(name, publicARN(c, publicPath))
}

func publicARN(c *wire.Call, name string) string {
	return "arn:" + c.Partition() + ":ssm:" + c.Region + "::parameter" + name
}

// publicValue finds one of the public parameters that are here. The images
// have made-up ids, one for each name.
func publicValue(name string) (value, dataType string, ok bool) {
	if region, isRegion := strings.CutPrefix(name, regionsPath); isRegion {
		return region, dataTypeText, wire.KnownRegion(region)
	}
	image, isImage := strings.CutPrefix(name, imagesPath)
	i := slices.Index(images(), image)
	if !isImage || i < 0 {
		return "", "", false
	}
	return fmt.Sprintf("ami-0a1b2c3d4e5f6%04x", i), "aws:ec2:image", true
}

func images() []string {
	return []string{
		"al2023-ami-kernel-default-arm64",
		"al2023-ami-kernel-default-x86_64",
		"al2023-ami-minimal-kernel-default-arm64",
		"al2023-ami-minimal-kernel-default-x86_64",
		"amzn2-ami-hvm-arm64-gp2",
		"amzn2-ami-hvm-x86_64-gp2",
	}
}

// public reads a parameter of AWS, by its name or ARN.
func (s *Service) public(c *wire.Call, in string) (parameter, error) {
	name := strings.TrimPrefix(in, publicARN(c, ""))
	arn := publicARN(c, name)
	if err := c.Authorize("ssm:"+c.Operation, arn, nil); err != nil {
		return parameter{}, err
	}
	p, ok := publicParameter(c, name)
	if !ok {
		return parameter{}, notFound()
	}
	return p, nil
}

func publicParameter(c *wire.Call, name string) (parameter, bool) {
	value, dataType, ok := publicValue(name)
	return parameter{
		ARN: publicARN(c, name), DataType: dataType, LastModifiedDate: wire.Time{Time: planted()},
		Name: name, Type: typeString, Value: value, Version: 1,
	}, ok
}

// publicBelow are the public parameters below a path.
func publicBelow(c *wire.Call, path string, recursive bool) (found []parameter) {
	var names []string
	for _, region := range wire.Regions() {
		names = append(names, regionsPath+region)
	}
	for _, image := range images() {
		names = append(names, imagesPath+image)
	}
	for _, name := range slices.Sorted(slices.Values(names)) {
		if below(path, name, recursive) {
			p, _ := publicParameter(c, name)
			found = append(found, p)
		}
	}
	return found
}

// reference reads a secret of Secrets Manager through the Parameter Store
// (https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html).
func (s *Service) reference(c *wire.Call, in string, decrypt bool) (parameter, error) {
	id, selected, _ := strings.Cut(in, ":")
	if err := c.Authorize("ssm:"+c.Operation, arnOf(c, referencePath+id), nil); err != nil {
		return parameter{}, err
	}
	if !decrypt {
		return parameter{}, wire.Refuse("ValidationException", "WithDecryption flag must be True for retrieving a Secret Manager secret.")
	}
	secret, err := s.secret(c, id, selected)
	if err != nil {
		return parameter{}, err
	}
	out := parameter{
		ARN: secret.ARN, DataType: dataTypeText, LastModifiedDate: wire.Time{Time: secret.Created}, Name: referencePath + id,
		Type: typeSecure, Value: string(secret.Value), SourceResult: secret.source(),
	}
	if selected != "" {
		out.Selector = ":" + selected
	}
	return out, nil
}

// secret asks Secrets Manager. What selects may be a version or a stage: a
// version id has at least 32 characters.
func (s *Service) secret(c *wire.Call, id, selected string) (Secret, error) {
	missing := wire.Refuse("ParameterNotFound",
		"An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret "+referencePath+id+" not found.")
	if s.Secret == nil {
		return Secret{}, missing
	}
	version, stage := selected, ""
	if len(selected) < 32 {
		version, stage = "", selected
	}
	secret, err := s.Secret(c, id, version, stage)
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Code == "ResourceNotFoundException" {
		return Secret{}, missing
	}
	return secret, err
}

// source is all that Secrets Manager tells, as JSON within JSON.
func (s Secret) source() string {
	text, err := json.Marshal(map[string]any{
		"ARN": s.ARN, "name": s.Name, "versionId": s.VersionID, "versionStages": s.Stages,
		"secretString": string(s.Value), "createdDate": s.Created.Format("Jan 2, 2006 3:04:05 PM"),
	})
	if err != nil {
		panic(err) // texts can be marshalled
	}
	return string(text)
}

// names lists what a region has, in order.
func names(all map[string]*Parameter) []string { return slices.Sorted(maps.Keys(all)) }
