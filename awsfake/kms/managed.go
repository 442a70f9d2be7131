package kms

import (
	"crypto/rand"
	"strings"

	"tegata/awsfake/wire"
)

// managedBy returns the service whose AWS managed key an alias names.
func managedBy(alias string) (service string, ok bool) {
	service, ok = strings.CutPrefix(alias, "alias/aws/")
	return service, ok && (service == "ssm" || service == "secretsmanager")
}

// makeManaged makes the key that AWS manages for a service. Everybody in the
// account may use it, but only through that service.
func (s *Service) makeManaged(c *wire.Call, alias, service string) *Key {
	title := map[string]string{"ssm": "SSM", "secretsmanager": "AWS Secrets Manager"}[service]
	k := newKey(c, wire.UUID())
	k.Manager = managerAWS
	k.Description = "Default key that protects my " + map[string]string{
		"ssm":            "SSM parameters when no other key is defined",
		"secretsmanager": "Secrets Manager data when no other key is defined",
	}[service]
	k.Policy = strings.NewReplacer("SERVICE", service, "TITLE", title, "REGION", c.Region, "ACCOUNT", c.Account,
		"ROOT", c.GlobalARN("iam", "root")).Replace(managedPolicy)
	r := s.region(c)
	r.Keys[k.ID] = k
	r.Aliases[alias] = &Alias{Key: k.ID, Created: k.Created, Updated: k.Created}
	return k
}

// managedPolicy is what GetKeyPolicy tells of such a key.
const managedPolicy = `{
  "Version" : "2012-10-17",
  "Id" : "auto-SERVICE-1",
  "Statement" : [ {
    "Sid" : "Allow access through TITLE for all principals in the account that are authorized to use TITLE",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "ACCOUNT",
        "kms:ViaService" : "SERVICE.REGION.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "ROOT"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`

// defaultPolicy lets the account's own policies decide over a key.
const defaultPolicy = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "ROOT"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

func newKey(c *wire.Call, id string) *Key {
	material := make(Material, materialSize)
	rand.Read(material)
	return &Key{
		ID: id, ARN: c.ARN("kms", "key/"+id), Created: c.Now(), Manager: managerCustomer,
		Policy:   strings.ReplaceAll(defaultPolicy, "ROOT", c.GlobalARN("iam", "root")),
		Material: material,
	}
}

// Adopt makes sure that the call's region has a key of that id or ARN: for what
// a scenario says is encrypted under a key that nobody has made here. The
// policies of the account decide who may use it. An ARN of another account
// keeps its account, and an alias gets a key too.
func (s *Service) Adopt(c *wire.Call, id string) *Key {
	if k, err := s.find(c, id); err == nil {
		return k
	}
	k := newKey(c, id)
	r := s.region(c)
	switch alias := aliasOf(id); {
	case alias != "":
		k = newKey(c, wire.UUID())
		r.Aliases[alias] = &Alias{Key: k.ID, Created: k.Created, Updated: k.Created}
	case strings.HasPrefix(id, "arn:"):
		k.ARN, k.ID = id, id[strings.LastIndex(id, "/")+1:]
	}
	r.Keys[k.ID] = k
	return k
}

// Seal encrypts with no regard to rights or the state of the key, which is
// adopted.
func (s *Service) Seal(c *wire.Call, id string, context map[string]string, plaintext []byte) (blob []byte) {
	return s.Adopt(c, id).seal(plaintext, context)
}
