package secretsmanager

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

type createIn struct {
	Name               *string
	Description        string
	ClientRequestToken *string
	KMSKeyID           string `json:"KmsKeyId"`
	Tags               []wire.Tag
	AddReplicaRegions  []struct{}
	value
}

func (s *Service) createSecret(c *wire.Call, in createIn) (putOut, error) {
	if err := in.check(c); err != nil {
		return putOut{}, err
	}
	arn := newARN(c, *in.Name)
	context := wire.RequestTags(in.Tags)
	context["secretsmanager:Name"] = *in.Name
	if err := c.Authorize("secretsmanager:CreateSecret", arn, context); err != nil {
		return putOut{}, err
	}
	if len(in.Tags) > 0 {
		if err := c.Authorize("secretsmanager:TagResource", arn, wire.RequestTags(in.Tags)); err != nil {
			return putOut{}, err
		}
	}
	if before := s.region(c)[*in.Name]; before != nil {
		return s.again(c, before, in)
	}
	secret := &Secret{
		Name: *in.Name, ARN: arn, Description: in.Description, KeyID: in.KMSKeyID,
		Created: c.Now(), Changed: c.Now(), Tags: map[string]string{}, Versions: map[string]*Version{},
	}
	secret.tag(in.Tags)
	out := putOut{ARN: arn, Name: secret.Name}
	if in.given() {
		v, err := s.write(c, secret, in.ClientRequestToken, in.value, []string{stageCurrent})
		if err != nil {
			return putOut{}, err
		}
		out.VersionID = v.ID
	}
	s.region(c)[secret.Name] = secret
	return out, nil
}

func (in createIn) check(c *wire.Call) error {
	var v wire.Checks
	v.Required("name", in.Name != nil)
	if in.Name != nil {
		v.Length("name", *in.Name, 1, 512)
	}
	v.Length("description", in.Description, 0, 2048)
	if err := v.Err(c); err != nil {
		return err
	}
	if strings.ContainsFunc(*in.Name, notNameRune) {
		return wire.Refuse("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if len(in.AddReplicaRegions) > 0 {
		return wire.Refuse("InvalidParameterException", "tegata's stand-in for Secrets Manager has no replicas.")
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return in.value.check(c, in.ClientRequestToken)
}

func notNameRune(r rune) bool {
	return !strings.ContainsRune(letters+capitals+digits+"-/_+=.@!", r)
}

// again answers for a name that is taken: the same call made twice is one.
func (s *Service) again(c *wire.Call, before *Secret, in createIn) (putOut, error) {
	if !before.Deletion.IsZero() {
		return putOut{}, wire.Refuse("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if in.ClientRequestToken != nil && in.given() && before.Versions[*in.ClientRequestToken] != nil {
		v, err := s.write(c, before, in.ClientRequestToken, in.value, nil)
		if err == nil {
			return putOut{ARN: before.ARN, Name: before.Name, VersionID: v.ID}, nil
		}
	}
	return putOut{}, wire.Refuse("ResourceExistsException", "The operation failed because the secret "+before.Name+" already exists.")
}

type updateIn struct {
	SecretID           *string `json:"SecretId"`
	ClientRequestToken *string
	Description        *string
	KMSKeyID           *string `json:"KmsKeyId"`
	value
}

func (s *Service) updateSecret(c *wire.Call, in updateIn) (putOut, error) {
	if err := in.check(c, in.ClientRequestToken); err != nil {
		return putOut{}, err
	}
	secret, err := s.living(c, in.SecretID, nil)
	if err != nil {
		return putOut{}, err
	}
	out := putOut{ARN: secret.ARN, Name: secret.Name}
	key := secret.KeyID
	if in.KMSKeyID != nil {
		secret.KeyID = *in.KMSKeyID
	}
	if in.given() {
		v, err := s.write(c, secret, in.ClientRequestToken, in.value, []string{stageCurrent})
		if err != nil {
			secret.KeyID = key
			return putOut{}, err
		}
		out.VersionID = v.ID
	}
	if in.Description != nil {
		secret.Description = *in.Description
	}
	secret.Changed = c.Now()
	return out, nil
}

type idIn struct {
	SecretID *string `json:"SecretId"`
}

type deleteIn struct {
	SecretID                   *string `json:"SecretId"`
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

type deleteOut struct {
	ARN          string
	DeletionDate *wire.Time
	Name         string
}

func (s *Service) deleteSecret(c *wire.Call, in deleteIn) (deleteOut, error) {
	days, err := in.days()
	if err != nil {
		return deleteOut{}, err
	}
	secret, err := s.authorize(c, in.SecretID, map[string]string{
		"secretsmanager:ForceDeleteWithoutRecovery": strconv.FormatBool(in.ForceDeleteWithoutRecovery),
		"secretsmanager:RecoveryWindowInDays":       strconv.Itoa(days),
	})
	switch {
	case err != nil:
		return deleteOut{}, err
	case in.ForceDeleteWithoutRecovery && secret == nil: // what is to be gone is gone
		name := strings.TrimPrefix(*in.SecretID, c.ARN("secretsmanager", "secret:"))
		return deleteOut{c.ARN("secretsmanager", "secret:"+name), wire.At(c.Now()), name}, nil
	case in.ForceDeleteWithoutRecovery:
		delete(s.region(c), secret.Name)
		return deleteOut{secret.ARN, wire.At(c.Now()), secret.Name}, nil
	}
	if secret, err = s.living(c, in.SecretID, nil); err != nil {
		return deleteOut{}, err
	}
	secret.Deletion = c.Now().Add(time.Duration(days) * 24 * time.Hour)
	return deleteOut{secret.ARN, wire.At(secret.Deletion), secret.Name}, nil
}

// days is the recovery window.
func (in deleteIn) days() (int, error) {
	switch days := in.RecoveryWindowInDays; {
	case days == nil:
		return 30, nil
	case in.ForceDeleteWithoutRecovery:
		return 0, wire.Refuse("InvalidParameterException", "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case *days < 7 || *days > 30:
		return 0, wire.Refuse("InvalidParameterException", "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	default:
		return *days, nil
	}
}

func (s *Service) restoreSecret(c *wire.Call, in idIn) (putOut, error) {
	secret, err := s.find(c, in.SecretID, nil)
	if err != nil {
		return putOut{}, err
	}
	secret.Deletion = time.Time{}
	return putOut{ARN: secret.ARN, Name: secret.Name}, nil
}

type rotateIn struct {
	SecretID          *string `json:"SecretId"`
	RotationLambdaARN string
}

// rotateSecret always refuses: there is no Lambda in the account.
func (s *Service) rotateSecret(c *wire.Call, in rotateIn) (putOut, error) {
	if _, err := s.living(c, in.SecretID, nil); err != nil {
		return putOut{}, err
	}
	if in.RotationLambdaARN == "" {
		return putOut{}, wire.Refuse("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
	}
	return putOut{}, wire.Refuse("AccessDeniedException", "Secrets Manager cannot invoke the specified Lambda function. "+
		"Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.")
}

// described is a secret without its values.
type described struct {
	ARN                    string
	CreatedDate            *wire.Time
	DeletedDate            *wire.Time `json:",omitempty"`
	Description            string     `json:",omitempty"`
	KMSKeyID               string     `json:"KmsKeyId,omitempty"`
	LastAccessedDate       *wire.Time `json:",omitempty"`
	LastChangedDate        *wire.Time
	Name                   string
	RotationEnabled        *bool               `json:",omitempty"`
	SecretVersionsToStages map[string][]string `json:",omitempty"`
	Tags                   []wire.Tag
	VersionIDsToStages     map[string][]string `json:"VersionIdsToStages,omitempty"`
}

func (s *Secret) described() described {
	return described{
		ARN: s.ARN, CreatedDate: wire.At(s.Created), DeletedDate: wire.At(s.Deletion), Description: s.Description, KMSKeyID: s.KeyID,
		LastAccessedDate: wire.At(s.Accessed), LastChangedDate: wire.At(s.Changed), Name: s.Name, Tags: s.tags(),
	}
}

// stages tells which versions have some.
func (s *Secret) stages() map[string][]string {
	all := map[string][]string{}
	for id, v := range s.Versions {
		if len(v.Stages) > 0 {
			all[id] = v.Stages
		}
	}
	return all
}

func (s *Service) describeSecret(c *wire.Call, in idIn) (described, error) {
	secret, err := s.find(c, in.SecretID, nil)
	if err != nil {
		return described{}, err
	}
	out := secret.described()
	out.VersionIDsToStages = secret.stages()
	return out, nil
}

type versionsIn struct {
	SecretID          *string `json:"SecretId"`
	IncludeDeprecated bool
	pageIn
}

type listedVersion struct {
	CreatedDate      *wire.Time
	KMSKeyIDs        []string   `json:"KmsKeyIds"`
	LastAccessedDate *wire.Time `json:",omitempty"`
	VersionID        string     `json:"VersionId"`
	VersionStages    []string   `json:",omitempty"`
}

type versionsOut struct {
	ARN       string
	Name      string
	NextToken string `json:",omitempty"`
	Versions  []listedVersion
}

func (s *Service) listSecretVersionIDs(c *wire.Call, in versionsIn) (versionsOut, error) {
	size, err := in.size(c)
	if err != nil {
		return versionsOut{}, err
	}
	secret, err := s.find(c, in.SecretID, nil)
	if err != nil {
		return versionsOut{}, err
	}
	all := []listedVersion{}
	for _, id := range slices.Sorted(maps.Keys(secret.Versions)) {
		if v := secret.Versions[id]; in.IncludeDeprecated || len(v.Stages) > 0 {
			all = append(all, listedVersion{wire.At(v.Created), []string{v.key()}, wire.At(v.Accessed), v.ID, v.Stages})
		}
	}
	out := versionsOut{ARN: secret.ARN, Name: secret.Name}
	out.Versions, out.NextToken, err = pageOf(all, size, in.NextToken)
	return out, err
}

func (v *Version) key() string { return v.KeyARN[strings.LastIndex(v.KeyARN, "/")+1:] }
