package ssm

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tegata/awsfake/kms"
	"tegata/awsfake/wire"
)

// parameter is one version, as the Get operations tell it.
type parameter struct {
	ARN              string
	DataType         string
	LastModifiedDate wire.Time
	Name             string
	Selector         string `json:",omitempty"`
	SourceResult     string `json:",omitempty"`
	Type             string
	Value            string
	Version          int64
}

type getIn struct {
	Name           *string
	WithDecryption bool
}

type getOut struct{ Parameter parameter }

func (s *Service) getParameter(c *wire.Call, in getIn) (getOut, error) {
	if err := checkName(c, in.Name); err != nil {
		return getOut{}, err
	}
	out, err := s.get(c, *in.Name, in.WithDecryption)
	return getOut{out}, err
}

func checkName(c *wire.Call, name *string) error {
	var v wire.Checks
	v.Required("name", name != nil)
	if name != nil {
		v.Length("name", *name, 1, maxName)
	}
	return v.Err(c)
}

// get reads one parameter, wherever it comes from.
func (s *Service) get(c *wire.Call, name string, decrypt bool) (parameter, error) {
	if isPublic(c, name) {
		return s.public(c, name)
	}
	if secret, ok := strings.CutPrefix(name, referencePath); ok {
		return s.reference(c, secret, decrypt)
	}
	sel, err := s.read(c, name)
	if err != nil {
		return parameter{}, err
	}
	p, err := s.find(c, c.Operation, sel.name)
	if err != nil {
		return parameter{}, err
	}
	v, err := p.pick(sel)
	if err != nil {
		return parameter{}, err
	}
	out, err := s.tell(c, p, v, decrypt)
	out.Selector = sel.selected
	return out, err
}

func (s *Service) tell(c *wire.Call, p *Parameter, v *Version, decrypt bool) (parameter, error) {
	value, err := s.open(c, p, v, decrypt)
	return parameter{
		ARN: arnOf(c, p.Name), DataType: v.DataType, LastModifiedDate: wire.Time{Time: v.Modified},
		Name: p.Name, Type: v.Type, Value: value, Version: v.Number,
	}, err
}

// open returns the value of a version, decrypted on behalf of the caller if
// it wants that.
func (s *Service) open(c *wire.Call, p *Parameter, v *Version, decrypt bool) (string, error) {
	if v.Type != typeSecure || !decrypt {
		return string(v.Value), nil
	}
	blob, err := base64.StdEncoding.DecodeString(string(v.Value))
	if err != nil {
		return "", fmt.Errorf("read the ciphertext of %s: it is no base64", p.Name)
	}
	text, _, err := s.Keys.Decrypt(c, kms.Use{Via: "ssm", Context: encryptionContext(c, p.Name)}, blob)
	if err != nil {
		return "", ofKey(c, err, kms.NoKey)
	}
	return string(text), nil
}

// ofKey is what a refusal of KMS becomes; denied is the text for one that is
// about rights, "" means KMS's own.
func ofKey(c *wire.Call, err error, denied string) error {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	if e.Code == "AccessDeniedException" && denied != "" {
		return wire.Refuse(e.Code, denied)
	}
	code := "InvalidKeyId"
	if e.Code == "AccessDeniedException" {
		code = e.Code
	}
	return wire.Refuse(code, fmt.Sprintf("%s (Service: AWSKMS; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)", e.Message, e.Code, c.ID))
}

type getManyIn struct {
	Names          []string
	WithDecryption bool
}

type getManyOut struct {
	InvalidParameters []string
	Parameters        []parameter
}

// maxNames is how many parameters one call may name.
const maxNames = 10

func checkNames(c *wire.Call, names []string) error {
	var v wire.Checks
	v.Required("names", names != nil)
	if names != nil {
		v.Count("names", names, 1, maxNames)
	}
	return v.Err(c)
}

// getParameters leaves out what isn't there, and fails on what is forbidden.
func (s *Service) getParameters(c *wire.Call, in getManyIn) (getManyOut, error) {
	out := getManyOut{InvalidParameters: []string{}, Parameters: []parameter{}}
	if err := checkNames(c, in.Names); err != nil {
		return out, err
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(in.Names))) {
		p, err := s.get(c, name, in.WithDecryption)
		switch e, _ := errors.AsType[*wire.Error](err); {
		case err == nil:
			out.Parameters = append(out.Parameters, p)
		case e != nil && (e.Code == "ParameterNotFound" || e.Code == "ParameterVersionNotFound"):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return getManyOut{}, err
		}
	}
	return out, nil
}
