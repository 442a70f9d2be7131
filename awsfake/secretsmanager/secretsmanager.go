// Package secretsmanager is Secrets Manager: secrets with their versions and
// stages, resource policies and deletion with a recovery window, encrypted by
// KMS.
//
// Start with [Service], whose State may be empty.
//
// What differs from AWS: what is written can be read at once; there are no
// replicas in other regions, and no rotation, since there is no Lambda that
// could do it: RotateSecret refuses as AWS does where none is configured. A
// secret's value is encrypted as one piece, not under a data key, though the
// rights that are asked for are those of data keys. Rules and texts are those
// of https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html.
package secretsmanager

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"tegata/awsfake/kms"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// State is what Secrets Manager keeps of one account, by region. It is JSON as
// it stands.
type State struct {
	Regions map[string]*Region
}

// A Region holds the secrets of one region, by name.
type Region struct {
	Secrets map[string]*Secret
}

// A Secret is a name with its versions.
type Secret struct {
	Name, ARN   string
	Description string
	KeyID       string // as it was named; "" means AWS's own key
	Created     time.Time
	Changed     time.Time
	Accessed    time.Time // the day; zero means never
	Deletion    time.Time // when it is deleted; zero means it isn't going to be
	Tags        map[string]string
	Policy      string // its JSON; "" means none
	Versions    map[string]*Version
}

// A Version is one value of a secret. Without stages it is deprecated.
type Version struct {
	ID       string
	Created  time.Time
	Accessed time.Time
	Stages   []string
	Binary   bool
	Blob     Ciphertext
	KeyARN   string
}

// A Ciphertext is an encrypted value, redacted where it is printed.
type Ciphertext []byte

const redacted = "redacted"

func (Ciphertext) String() string             { return redacted }
func (Ciphertext) GoString() string           { return redacted }
func (Ciphertext) LogValue() slog.Value       { return slog.StringValue(redacted) }
func (Ciphertext) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// Stages that AWS moves by itself.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

const defaultKey = "alias/aws/secretsmanager"

// A Service is Secrets Manager in one account.
type Service struct {
	State *State
	Keys  *kms.Service
}

// Wire returns the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "secretsmanager", Target: "secretsmanager", Protocol: wire.JSON,
		Operations: []wire.Operation{
			wire.Op("CreateSecret", s.createSecret),
			wire.Op("DeleteResourcePolicy", s.deleteResourcePolicy),
			wire.Op("DeleteSecret", s.deleteSecret),
			wire.Op("DescribeSecret", s.describeSecret),
			wire.Op("GetRandomPassword", s.getRandomPassword),
			wire.Op("GetResourcePolicy", s.getResourcePolicy),
			wire.Op("GetSecretValue", s.getSecretValue),
			wire.Op("ListSecretVersionIds", s.listSecretVersionIDs),
			wire.Op("ListSecrets", s.listSecrets),
			wire.Op("PutResourcePolicy", s.putResourcePolicy),
			wire.Op("PutSecretValue", s.putSecretValue),
			wire.Op("RestoreSecret", s.restoreSecret),
			wire.Op("RotateSecret", s.rotateSecret),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateSecret", s.updateSecret),
			wire.Op("UpdateSecretVersionStage", s.updateSecretVersionStage),
		},
	}
}

// region returns the secrets of the call's region; those whose recovery window
// is over are gone.
func (s *Service) region(c *wire.Call) map[string]*Secret {
	if s.State.Regions == nil {
		s.State.Regions = map[string]*Region{}
	}
	r := s.State.Regions[c.Region]
	if r == nil {
		r = &Region{Secrets: map[string]*Secret{}}
		s.State.Regions[c.Region] = r
	}
	maps.DeleteFunc(r.Secrets, func(_ string, secret *Secret) bool {
		return !secret.Deletion.IsZero() && !c.Now().Before(secret.Deletion)
	})
	return r.Secrets
}

// lookUp finds a secret by name, by ARN, or by ARN without its last six
// characters.
func (s *Service) lookUp(c *wire.Call, id string) *Secret {
	name, isARN := strings.CutPrefix(id, c.ARN("secretsmanager", "secret:"))
	all := s.region(c)
	if secret := all[name]; secret != nil {
		return secret
	}
	if i := len(name) - suffixSize - 1; isARN && i > 0 {
		if secret := all[name[:i]]; secret != nil && secret.ARN == id {
			return secret
		}
	}
	return nil
}

// find is authorize, then the secret itself.
func (s *Service) find(c *wire.Call, id *string, context map[string]string) (*Secret, error) {
	secret, err := s.authorize(c, id, context)
	if err == nil && secret == nil {
		err = wire.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return secret, err
}

// living is find, for operations that a secret takes only while it isn't
// marked for deletion.
func (s *Service) living(c *wire.Call, id *string, context map[string]string) (*Secret, error) {
	secret, err := s.find(c, id, context)
	if err == nil && !secret.Deletion.IsZero() {
		err = wire.Refuse("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	}
	return secret, err
}

// authorize asks for the call's operation on a secret; the secret is nil if
// there is none.
func (s *Service) authorize(c *wire.Call, id *string, context map[string]string) (*Secret, error) {
	var v wire.Checks
	v.Required("secretId", id != nil)
	if id != nil {
		v.Length("secretId", *id, 1, 2048)
	}
	if err := v.Err(c); err != nil {
		return nil, err
	}
	if context == nil {
		context = map[string]string{}
	}
	context["secretsmanager:SecretId"] = *id
	return s.permit(c, "secretsmanager:"+c.Operation, *id, context)
}

// permit asks the policies of the caller and of the secret.
func (s *Service) permit(c *wire.Call, action, id string, context map[string]string) (*Secret, error) {
	secret := s.lookUp(c, id)
	if secret == nil {
		if !strings.HasPrefix(id, "arn:") {
			id = c.ARN("secretsmanager", "secret:"+id)
		}
		return nil, c.Authorize(action, id, context)
	}
	for key, value := range secret.Tags {
		context["aws:ResourceTag/"+key] = value
		context["secretsmanager:ResourceTag/"+key] = value
	}
	own, err := secret.rules()
	if err != nil {
		return nil, err
	}
	return secret, c.AuthorizeOn(action, secret.ARN, own, context)
}

// rules are the secret's own policy; nil means it has none.
func (s *Secret) rules() (*policy.Named, error) {
	if s.Policy == "" {
		return nil, nil
	}
	d, err := policy.Parse([]byte(s.Policy))
	return &policy.Named{Name: "the secret's policy", Document: d}, err
}

const suffixSize = 6 // of the ARN, so that a secret isn't mistaken for one that had its name before

// newARN names a secret that is to be made.
func newARN(c *wire.Call, name string) string {
	return c.ARN("secretsmanager", "secret:"+name+"-"+randomText(letters+capitals, suffixSize))
}

func randomText(alphabet string, length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = alphabet[randomBelow(len(alphabet))]
	}
	return string(b)
}

// randomBelow picks a number without preferring any; n is at most 256.
func randomBelow(n int) int {
	var b [1]byte
	for {
		rand.Read(b[:])
		if int(b[0]) < 256-256%n {
			return int(b[0]) % n
		}
	}
}
