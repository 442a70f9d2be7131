package awsfake

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// A Parameter is one of SSM's parameters.
type Parameter struct {
	Value   string
	Type    string // String, StringList or SecureString; "" means String
	Version int    // zero means 1
	KeyID   string // key id or ARN of a SecureString; "" means AWS's own key for SSM
}

func (s *Server) ssm() wire.Service {
	return wire.Service{
		Name: "ssm", Target: "AmazonSSM", Protocol: wire.JSON,
		Operations: []wire.Operation{wire.Stream("GetParameter", s.getParameter)},
	}
}

// ssmEpoch is when all parameters were last changed, in seconds since 1970.
var ssmEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

func (s *Server) getParameter(w http.ResponseWriter, c *wire.Call) error {
	var in struct {
		Name           *string
		WithDecryption bool
	}
	if err := json.Unmarshal(c.Body, &in); err != nil {
		return wire.Refuse("SerializationException", "")
	}
	if in.Name == nil {
		return wire.Refuse("ValidationException", "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null")
	}
	name, version, err := s.parseParameterName(c, *in.Name)
	if err != nil {
		return err
	}
	arn := c.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
	if err := c.Authorize("ssm:GetParameter", arn, nil); err != nil {
		return err
	}
	p, ok := s.options.Parameters[name]
	if !ok || s.options.Region != "" && s.options.Region != c.Region {
		return wire.Refuse("ParameterNotFound", "")
	}
	p.Version = cmp.Or(p.Version, 1)
	if version != 0 && version != p.Version {
		return wire.Refuse("ParameterVersionNotFound", "Systems Manager could not find version "+
			strconv.Itoa(version)+" of "+name+". Verify the version and try again.")
	}
	value, err := s.parameterValue(c, p, in.WithDecryption)
	if err != nil {
		return err
	}
	answer := map[string]any{
		"ARN": arn, "DataType": "text", "LastModifiedDate": ssmEpoch, "Name": name,
		"Type": cmp.Or(p.Type, "String"), "Value": value, "Version": p.Version,
	}
	if version != 0 {
		answer["Selector"] = ":" + strconv.Itoa(version)
	}
	return c.WriteJSON(w, map[string]any{"Parameter": answer})
}

// parameterValue decrypts a SecureString, which needs kms:Decrypt unless its
// key is AWS's own, that everybody in the account may use through SSM.
func (s *Server) parameterValue(c *wire.Call, p Parameter, decrypt bool) (string, error) {
	if p.Type != "SecureString" {
		return p.Value, nil
	}
	if !decrypt {
		return base64.StdEncoding.EncodeToString([]byte("encrypted by tegata's stand-in for KMS")), nil
	}
	if p.KeyID == "" || p.KeyID == "alias/aws/ssm" {
		return p.Value, nil
	}
	key := p.KeyID
	if !strings.HasPrefix(key, "arn:") {
		key = c.ARN("kms", "key/"+key)
	}
	if c.Authorize("kms:Decrypt", key, nil) != nil {
		return "", wire.Refuse("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, "+
			"does not exist in this region, or you are not allowed to access.")
	}
	return p.Value, nil
}

// parseParameterName reads a name or an ARN, either with a version: "/a/b:3".
// An ARN doesn't tell whether the name begins with a slash.
func (s *Server) parseParameterName(c *wire.Call, in string) (name string, version int, err error) {
	name, isARN := strings.CutPrefix(in, c.ARN("ssm", "parameter"))
	name, selector, _ := strings.Cut(name, ":")
	if _, ok := s.options.Parameters[name]; isARN && !ok && strings.Count(name, "/") == 1 {
		name = name[1:]
	}
	if selector != "" {
		if version, err = strconv.Atoi(selector); err != nil || version < 1 {
			return "", 0, wire.Refuse("ParameterVersionNotFound", "")
		}
	}
	path, isPath := strings.CutPrefix(name, "/")
	parts := strings.Split(path, "/")
	ok := isPath || len(parts) == 1
	for _, part := range parts {
		ok = ok && part != "" && !strings.ContainsFunc(part, notNameRune)
	}
	if !ok || strings.HasPrefix(strings.ToLower(path), "ssm") {
		return "", 0, wire.Refuse("ValidationException", `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, `+
			`it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, `+
			`numbers and the following 3 symbols .-_`)
	}
	return name, version, nil
}

func notNameRune(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && !('0' <= r && r <= '9') && r != '_' && r != '.' && r != '-'
}
