package ec2

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// An Association ties an instance profile to an instance.
type Association struct {
	ID         string // iip-assoc-…
	Instance   string
	ProfileARN string
	ProfileID  string    // AIPA…, by which a profile differs from a later one of its name
	Made       time.Time // when it was asked for
	Begins     time.Time // when the metadata tells of it
	Ends       time.Time // when it is gone; zero means that nobody wants it to
}

func (a *Association) over(now time.Time) bool { return !a.Ends.IsZero() && !now.Before(a.Ends) }

func (a *Association) state(now time.Time) string {
	switch {
	case !a.Ends.IsZero():
		return "disassociating"
	case now.Before(a.Begins):
		return "associating"
	}
	return "associated"
}

// association is the one that an instance has or is to have; nil means none.
func (r *Region) association(instance string, now time.Time) *Association {
	for _, a := range inOrder(r.Associations) {
		if a.Instance == instance && !a.over(now) && a.Ends.IsZero() {
			return a
		}
	}
	return nil
}

// inForce is the one that the metadata of an instance tells of; nil means none.
func (r *Region) inForce(instance string, now time.Time) *Association {
	for _, a := range inOrder(r.Associations) {
		if a.Instance == instance && !now.Before(a.Begins) && !a.over(now) {
			return a
		}
	}
	return nil
}

// Associate ties a profile to an instance as if that had been so since a
// moment long past. It replaces what the instance had.
func (s *State) Associate(region, instance string, p InstanceProfile, since time.Time) *Association {
	r := s.Region(region)
	for id, a := range r.Associations {
		if a.Instance == instance {
			delete(r.Associations, id)
		}
	}
	return r.tie(instance, p, since, 0)
}

func (r *Region) tie(instance string, p InstanceProfile, now time.Time, delay time.Duration) *Association {
	now = now.Round(0)
	a := &Association{ID: "iip-assoc-" + randomDigits(), Instance: instance, ProfileARN: p.ARN, ProfileID: p.ID, Made: now, Begins: now.Add(delay)}
	if r.Associations == nil {
		r.Associations = map[string]*Association{}
	}
	r.Associations[a.ID] = a
	return a
}

// untie ends an association. Those that are over are forgotten.
func (r *Region) untie(a *Association, now time.Time, delay time.Duration) {
	a.Ends = now.Round(0).Add(delay)
	for id, old := range r.Associations {
		if old.over(now) {
			delete(r.Associations, id)
		}
	}
}

// randomDigits ends the ids that EC2 gives.
func randomDigits() string {
	b := make([]byte, 9)
	rand.Read(b)
	return "0" + hex.EncodeToString(b)[:16]
}

type describedAssociation struct {
	ID        string     `xml:"associationId"`
	Instance  string     `xml:"instanceId"`
	Profile   profileRef `xml:"iamInstanceProfile"`
	State     string     `xml:"state"`
	Timestamp wire.Time  `xml:"timestamp"`
}

func (a *Association) describe(now time.Time) describedAssociation {
	return describedAssociation{a.ID, a.Instance, profileRef{a.ProfileARN, a.ProfileID}, a.state(now), wire.Time{Time: a.Made}}
}

type oneAssociation struct {
	Association describedAssociation `xml:"iamInstanceProfileAssociation"`
}

// A specification names a profile, by one of two ways.
type specification struct {
	ARN  *string `query:"Arn"`
	Name *string
}

func (p *specification) check() error {
	switch {
	case p == nil:
		return missing("IamInstanceProfile")
	case p.ARN == nil && p.Name == nil:
		return missing("IamInstanceProfile.Name or IamInstanceProfile.Arn")
	case p.ARN != nil && p.Name != nil:
		return wire.Refuse("InvalidParameterCombination", "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	}
	return nil
}

// profile finds what a specification names. A profile that was just made is
// not known yet.
func (s *Service) profile(p *specification, now time.Time) (InstanceProfile, error) {
	if p.Name != nil {
		found, ok := s.Directory.InstanceProfile(*p.Name, now)
		if !ok {
			return found, invalidValue("Value (" + *p.Name + ") for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
		}
		return found, nil
	}
	found, ok := s.Directory.InstanceProfile(profileName(*p.ARN), now)
	if !ok || found.ARN != *p.ARN {
		return found, invalidValue("Value (" + *p.ARN + ") for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN")
	}
	return found, nil
}

func profileName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// pass wants the caller to be allowed to hand the profile's role to EC2.
func pass(c *wire.Call, p InstanceProfile, instance string) error {
	if p.Role == nil {
		return nil
	}
	return c.Authorize("iam:PassRole", p.Role.ARN, map[string]string{
		"iam:PassedToService":       "ec2.amazonaws.com",
		"iam:AssociatedResourceArn": instanceARN(c, instance),
	})
}

type associateInput struct {
	IAMInstanceProfile *specification `query:"IamInstanceProfile"`
	InstanceID         string         `query:"InstanceId"`
}

// associate gives a profile to an instance that has none
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateIamInstanceProfile.html).
func (s *Service) associate(c *wire.Call, in associateInput) (oneAssociation, error) {
	var none oneAssociation
	if err := in.check(); err != nil {
		return none, err
	}
	now, r := c.Now(), s.State.at(c.Region)
	p, unknown := s.profile(in.IAMInstanceProfile, now)
	if err := authorize(c, "AssociateIamInstanceProfile", instanceARN(c, in.InstanceID), r.newProfile(in.InstanceID, p, now)); err != nil {
		return none, err
	}
	i, err := r.instance(in.InstanceID)
	if err != nil {
		return none, err
	}
	if unknown != nil {
		return none, unknown
	}
	if err := pass(c, p, i.ID); err != nil {
		return none, err
	}
	if r.busy(i.ID, now) {
		return none, wire.Refuse("IncorrectState", "There is an existing association for instance "+i.ID)
	}
	return oneAssociation{s.State.Region(c.Region).tie(i.ID, p, now, s.Options.Associate).answer(now)}, nil
}

func (in associateInput) check() error {
	if in.InstanceID == "" {
		return missing("InstanceId")
	}
	if err := checkInstanceIDs([]string{in.InstanceID}); err != nil {
		return err
	}
	return in.IAMInstanceProfile.check()
}

// newProfile adds to the condition keys of an instance what it is to get.
func (r *Region) newProfile(instance string, p InstanceProfile, now time.Time) map[string]string {
	keys := r.context(instance, now)
	if p.ARN != "" {
		keys["ec2:NewInstanceProfile"] = p.ARN
	}
	return keys
}

// busy reports whether an instance has a profile, even one that is just going.
func (r *Region) busy(instance string, now time.Time) bool {
	return r.association(instance, now) != nil || r.inForce(instance, now) != nil
}

// answer tells of an association that was just made: it is never done already.
func (a *Association) answer(now time.Time) describedAssociation {
	d := a.describe(now)
	if a.Ends.IsZero() {
		d.State = "associating"
	}
	return d
}

type replaceInput struct {
	AssociationID      string         `query:"AssociationId"`
	IAMInstanceProfile *specification `query:"IamInstanceProfile"`
}

// replaceAssociation gives another profile to a running instance, without a
// moment in which it has none
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html).
func (s *Service) replaceAssociation(c *wire.Call, in replaceInput) (oneAssociation, error) {
	var none oneAssociation
	if err := in.check(); err != nil {
		return none, err
	}
	now, r := c.Now(), s.State.at(c.Region)
	p, unknown := s.profile(in.IAMInstanceProfile, now)
	old := r.Associations[in.AssociationID]
	if err := authorize(c, "ReplaceIamInstanceProfileAssociation", r.resourceOf(c, old), r.newProfile(old.instance(), p, now)); err != nil {
		return none, err
	}
	switch {
	case old == nil || old.over(now):
		return none, noAssociation(in.AssociationID)
	case unknown != nil:
		return none, unknown
	}
	if err := pass(c, p, old.Instance); err != nil {
		return none, err
	}
	if i := r.Instances[old.Instance]; !old.Ends.IsZero() || i == nil || i.State != "running" {
		return none, wire.Refuse("IncorrectState", "The association "+old.ID+" is not the active association")
	}
	r.untie(old, now, s.Options.Associate)
	return oneAssociation{r.tie(old.Instance, p, now, s.Options.Associate).answer(now)}, nil
}

func (in replaceInput) check() error {
	if err := checkAssociationID(in.AssociationID); err != nil {
		return err
	}
	return in.IAMInstanceProfile.check()
}

func checkAssociationID(id string) error {
	switch {
	case id == "":
		return missing("AssociationId")
	case !strings.HasPrefix(id, "iip-assoc-"):
		return invalidValue("Invalid value for associationId.")
	}
	return nil
}

func noAssociation(id string) error {
	return wire.Refuse("InvalidAssociationID.NotFound", "An invalid association-id of '"+id+"' was given")
}

func (a *Association) instance() string {
	if a == nil {
		return ""
	}
	return a.Instance
}

// resourceOf is what an action on an association is authorized for: its
// instance, any where there is no such association.
func (r *Region) resourceOf(c *wire.Call, a *Association) string {
	if a == nil {
		return instanceARN(c, "*")
	}
	return instanceARN(c, a.Instance)
}

type disassociateInput struct {
	AssociationID string `query:"AssociationId"`
}

// disassociate takes the profile from an instance
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisassociateIamInstanceProfile.html).
func (s *Service) disassociate(c *wire.Call, in disassociateInput) (oneAssociation, error) {
	if err := checkAssociationID(in.AssociationID); err != nil {
		return oneAssociation{}, err
	}
	now, r := c.Now(), s.State.at(c.Region)
	a := r.Associations[in.AssociationID]
	if err := authorize(c, "DisassociateIamInstanceProfile", r.resourceOf(c, a), r.context(a.instance(), now)); err != nil {
		return oneAssociation{}, err
	}
	if a == nil || a.over(now) {
		return oneAssociation{}, noAssociation(in.AssociationID)
	}
	if a.Ends.IsZero() {
		r.untie(a, now, s.Options.Associate)
	}
	return oneAssociation{a.describe(now)}, nil
}

type describeAssociationsInput struct {
	listing
	AssociationIDs []string `query:"AssociationId"`
}

type describedAssociations struct {
	Associations []describedAssociation `xml:"iamInstanceProfileAssociationSet>item"`
	NextToken    string                 `xml:"nextToken,omitempty"`
}

// describeAssociations tells which instance has which profile
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeIamInstanceProfileAssociations.html).
func (s *Service) describeAssociations(c *wire.Call, in describeAssociationsInput) (describedAssociations, error) {
	var none describedAssociations
	for _, id := range in.AssociationIDs {
		if err := checkAssociationID(id); err != nil {
			return none, err
		}
	}
	if err := authorize(c, "DescribeIamInstanceProfileAssociations", "*", nil); err != nil {
		return none, err
	}
	now := c.Now()
	all, err := s.State.at(c.Region).associations(in.AssociationIDs, now)
	if err != nil {
		return none, err
	}
	all, err = filtered(in.Filters, all, func(a *Association, name string) ([]string, bool) { return a.filter(name, now) })
	if err != nil {
		return none, err
	}
	part, next, err := page(in.listing, all)
	answer := describedAssociations{NextToken: next}
	for _, a := range part {
		answer.Associations = append(answer.Associations, a.describe(now))
	}
	return answer, err
}

// associations finds those of the ids that are not over, or all if there are
// no ids.
func (r *Region) associations(ids []string, now time.Time) ([]*Association, error) {
	all := slices.DeleteFunc(inOrder(r.Associations), func(a *Association) bool {
		return a.over(now) || len(ids) > 0 && !slices.Contains(ids, a.ID)
	})
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(a *Association) bool { return a.ID == id }) {
			return nil, noAssociation(id)
		}
	}
	return all, nil
}

func (a *Association) filter(name string, now time.Time) ([]string, bool) {
	switch name {
	case "instance-id":
		return one(a.instance()), true
	case "state":
		if a == nil {
			return nil, true
		}
		return one(a.state(now)), true
	}
	return nil, false
}
