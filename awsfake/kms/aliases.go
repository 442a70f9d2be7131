package kms

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

const aliasPattern = `[a-zA-Z0-9:/_-]+`

type aliasIn struct {
	AliasName   *string
	TargetKeyID *string `json:"TargetKeyId"`
}

// name checks the name of an alias that is to be made, moved or deleted.
func (in aliasIn) name(c *wire.Call) (string, error) {
	var v wire.Checks
	v.Required("aliasName", in.AliasName != nil)
	if name := orEmpty(in.AliasName); in.AliasName != nil {
		v.Length("aliasName", name, 1, 256)
		v.Pattern("aliasName", name, aliasPattern)
	}
	if err := v.Err(c); err != nil {
		return "", err
	}
	name := *in.AliasName
	switch {
	case !strings.HasPrefix(name, "alias/"):
		return "", wire.Refuse("ValidationException", `Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`)
	case name == "alias/" || strings.Contains(name, ":"):
		return "", wire.Refuse("InvalidAliasNameException", "")
	case strings.HasPrefix(name, "alias/aws/"):
		return "", wire.Refuse("NotAuthorizedException", "")
	}
	return name, nil
}

// target finds the key that an alias is to stand for. The right is asked for
// on both.
func (s *Service) target(c *wire.Call, name string, in aliasIn, action string) (*Key, error) {
	var v wire.Checks
	v.Required("targetKeyId", in.TargetKeyID != nil)
	if err := v.Err(c); err != nil {
		return nil, err
	}
	if err := c.Authorize(action, c.ARN("kms", name), nil); err != nil {
		return nil, err
	}
	k, err := s.ownKey(c, *in.TargetKeyID, action)
	if err == nil {
		err = k.changeable()
	}
	return k, err
}

func (s *Service) createAlias(c *wire.Call, in aliasIn) (wire.Empty, error) {
	name, err := in.name(c)
	if err != nil {
		return wire.Empty{}, err
	}
	k, err := s.target(c, name, in, "kms:CreateAlias")
	if err != nil {
		return wire.Empty{}, err
	}
	r := s.region(c)
	if r.Aliases[name] != nil {
		return wire.Empty{}, wire.Refuse("AlreadyExistsException", "An alias with the name "+c.ARN("kms", name)+" already exists")
	}
	r.Aliases[name] = &Alias{Key: k.ID, Created: c.Now(), Updated: c.Now()}
	return wire.Empty{}, nil
}

func (s *Service) updateAlias(c *wire.Call, in aliasIn) (wire.Empty, error) {
	name, err := in.name(c)
	if err != nil {
		return wire.Empty{}, err
	}
	k, err := s.target(c, name, in, "kms:UpdateAlias")
	if err != nil {
		return wire.Empty{}, err
	}
	if _, err := s.byAlias(c, name); err != nil {
		return wire.Empty{}, err
	}
	a := s.region(c).Aliases[name]
	a.Key, a.Updated = k.ID, c.Now()
	return wire.Empty{}, nil
}

func (s *Service) deleteAlias(c *wire.Call, in aliasIn) (wire.Empty, error) {
	name, err := in.name(c)
	if err != nil {
		return wire.Empty{}, err
	}
	if err := c.Authorize("kms:DeleteAlias", c.ARN("kms", name), nil); err != nil {
		return wire.Empty{}, err
	}
	k, err := s.byAlias(c, name)
	if err == nil {
		err = s.permit(c, k, "kms:DeleteAlias", Use{})
	}
	if err == nil {
		delete(s.region(c).Aliases, name)
	}
	return wire.Empty{}, err
}

type listedAlias struct {
	AliasArn, AliasName string
	TargetKeyID         string `json:"TargetKeyId,omitempty"`
	CreationDate        *wire.Time
	LastUpdatedDate     *wire.Time
}

type listAliasesIn struct {
	pageIn
	KeyID *string `json:"KeyId"`
}

type listAliasesOut struct {
	Aliases    []listedAlias
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listAliases(c *wire.Call, in listAliasesIn) (out listAliasesOut, err error) {
	if err := c.Authorize("kms:ListAliases", "*", nil); err != nil {
		return out, err
	}
	of := ""
	if in.KeyID != nil {
		k, err := s.find(c, *in.KeyID)
		if err != nil {
			return out, err
		}
		of = k.ID
	}
	r := s.region(c)
	all := []listedAlias{}
	for _, name := range slices.Sorted(maps.Keys(r.Aliases)) {
		if a := r.Aliases[name]; of == "" || a.Key == of {
			all = append(all, listedAlias{c.ARN("kms", name), name, a.Key, wire.At(a.Created), wire.At(a.Updated)})
		}
	}
	out.Aliases, out.NextMarker, err = pageOf(c, in.pageIn, all, 100)
	out.Truncated = out.NextMarker != ""
	return out, err
}
