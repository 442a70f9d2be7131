package imds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Credentials are the temporary credentials of a role, or, when Code is not
// Success, the reason why there are none.
// See "Retrieve security credentials from instance metadata" in the EC2 User Guide.
type Credentials struct {
	Code            string    `json:"Code"`
	Message         string    `json:"Message,omitempty"` // only when Code is not Success
	LastUpdated     time.Time `json:"LastUpdated"`
	Type            string    `json:"Type"` // AWS-HMAC
	AccessKeyID     string    `json:"AccessKeyId"`
	SecretAccessKey Secret    `json:"SecretAccessKey"`
	Token           Secret    `json:"Token"`
	Expiration      time.Time `json:"Expiration"`
	AccountID       string    `json:"AccountId"` // of a container's agent, which may tell it
}

// IdentityDocument is what an instance says about itself. null in the text
// form is "" or nil here.
// See "Instance identity documents" in the EC2 User Guide.
type IdentityDocument struct {
	AccountID               string    `json:"accountId"`
	Architecture            string    `json:"architecture"` // i386, x86_64 or arm64
	AvailabilityZone        string    `json:"availabilityZone"`
	BillingProducts         []string  `json:"billingProducts"`
	DevpayProductCodes      []string  `json:"devpayProductCodes"`
	MarketplaceProductCodes []string  `json:"marketplaceProductCodes"`
	ImageID                 string    `json:"imageId"`
	InstanceID              string    `json:"instanceId"`
	InstanceType            string    `json:"instanceType"`
	KernelID                string    `json:"kernelId"`
	PendingTime             time.Time `json:"pendingTime"` // when the instance was launched
	PrivateIP               string    `json:"privateIp"`
	RamdiskID               string    `json:"ramdiskId"`
	Region                  string    `json:"region"`
	Version                 string    `json:"version"` // of the form of the document, 2017-09-30
}

// IAMInfo tells which instance profile is attached.
type IAMInfo struct {
	Code               string    `json:"Code"`
	Message            string    `json:"Message,omitempty"` // when Code is not Success, or the profile contains no role
	LastUpdated        time.Time `json:"LastUpdated"`
	InstanceProfileArn string    `json:"InstanceProfileArn"`
	InstanceProfileID  string    `json:"InstanceProfileId"`
}

// ParseCredentials reads the text form of credentials. A document whose Code
// is not Success is fine and has no keys. Failures are [ErrMalformed].
func ParseCredentials(data []byte) (Credentials, error) {
	return exported(parseCredentials(data))
}

// ParseIdentityDocument reads the text form of an identity document. Failures
// are [ErrMalformed].
func ParseIdentityDocument(data []byte) (IdentityDocument, error) {
	return exported(parseIdentityDocument(data))
}

// ParseIAMInfo reads the text form of the instance profile. Failures are
// [ErrMalformed].
func ParseIAMInfo(data []byte) (IAMInfo, error) {
	return exported(parseIAMInfo(data))
}

func exported[T any](doc T, err error) (T, error) {
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return doc, err
}

func parseCredentials(data []byte) (Credentials, error) {
	c, err := parse[Credentials](data)
	if err != nil || !succeeded(c.Code) {
		return c, err
	}
	switch {
	case c.AccessKeyID == "":
		err = errors.New("missing AccessKeyId")
	case c.SecretAccessKey == "":
		err = errors.New("missing SecretAccessKey")
	case c.Token == "":
		err = errors.New("missing Token")
	case c.Expiration.IsZero():
		err = errors.New("missing Expiration")
	}
	if err != nil {
		return Credentials{}, err
	}
	return c, nil
}

func parseIdentityDocument(data []byte) (IdentityDocument, error) {
	d, err := parse[IdentityDocument](data)
	if err == nil && d.InstanceID == "" {
		err = errors.New("missing instanceId")
	}
	return d, err
}

func parseIAMInfo(data []byte) (IAMInfo, error) {
	i, err := parse[IAMInfo](data)
	if err == nil && succeeded(i.Code) && i.InstanceProfileArn == "" {
		err = errors.New("missing InstanceProfileArn")
	}
	return i, err
}

// succeeded counts no Code at all as success, as AWS SDKs do.
func succeeded(code string) bool { return code == "" || code == "Success" }

// parse decodes a document. Its errors tell places, never values.
func parse[T any](data []byte) (doc T, err error) {
	err = json.Unmarshal(data, &doc)
	if err == nil {
		return doc, nil
	}
	var none T
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return none, fmt.Errorf("not JSON at byte %d of %d", syntax.Offset, len(data))
	case errors.As(err, &kind):
		return none, fmt.Errorf("%q is not of the right type", kind.Field)
	default:
		return none, errors.New("a time is not in the form of RFC 3339")
	}
}

// Document returns the text form, byte for byte as IMDS serves it. It holds
// the secrets.
func (c Credentials) Document() []byte {
	if !succeeded(c.Code) {
		return document(
			field{"Code", c.Code},
			field{"Message", c.Message},
			field{"LastUpdated", c.LastUpdated},
		)
	}
	return document(
		field{"Code", c.Code},
		field{"LastUpdated", c.LastUpdated},
		field{"Type", c.Type},
		field{"AccessKeyId", c.AccessKeyID},
		field{"SecretAccessKey", c.SecretAccessKey.Reveal()},
		field{"Token", c.Token.Reveal()},
		field{"Expiration", c.Expiration},
	)
}

// Document returns the text form, byte for byte as IMDS serves and signs it.
func (d IdentityDocument) Document() []byte {
	return document(
		field{"accountId", d.AccountID},
		field{"architecture", d.Architecture},
		field{"availabilityZone", d.AvailabilityZone},
		field{"billingProducts", d.BillingProducts},
		field{"devpayProductCodes", d.DevpayProductCodes},
		field{"marketplaceProductCodes", d.MarketplaceProductCodes},
		field{"imageId", d.ImageID},
		field{"instanceId", d.InstanceID},
		field{"instanceType", d.InstanceType},
		field{"kernelId", orNull(d.KernelID)},
		field{"pendingTime", d.PendingTime},
		field{"privateIp", d.PrivateIP},
		field{"ramdiskId", orNull(d.RamdiskID)},
		field{"region", d.Region},
		field{"version", d.Version},
	)
}

// Document returns the text form, byte for byte as IMDS serves it.
func (i IAMInfo) Document() []byte {
	if !succeeded(i.Code) {
		return document(
			field{"Code", i.Code},
			field{"Message", i.Message},
			field{"LastUpdated", i.LastUpdated},
		)
	}
	fields := []field{{"Code", i.Code}}
	if i.Message != "" {
		fields = append(fields, field{"Message", i.Message})
	}
	return document(append(fields,
		field{"LastUpdated", i.LastUpdated},
		field{"InstanceProfileArn", i.InstanceProfileArn},
		field{"InstanceProfileId", i.InstanceProfileID},
	)...)
}

// A field is a name and its value: a string, a time, a list of strings or nil.
type field struct {
	name  string
	value any
}

// document writes fields in the manner of IMDS, which puts a space before the
// colon and no newline at the end.
func document(fields ...field) []byte {
	lines := make([]string, len(fields))
	for i, f := range fields {
		lines[i] = fmt.Sprintf("  %s : %s", quote(f.name), text(f.value))
	}
	return []byte("{\n" + strings.Join(lines, ",\n") + "\n}")
}

func text(value any) string {
	switch v := value.(type) {
	case string:
		return quote(v)
	case time.Time:
		return quote(v.UTC().Format(time.RFC3339))
	case []string:
		if len(v) == 0 {
			break
		}
		items := make([]string, len(v))
		for i, s := range v {
			items[i] = quote(s)
		}
		return "[ " + strings.Join(items, ", ") + " ]"
	}
	return "null"
}

// quote writes a JSON string in which <, > and & stand for themselves.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // strings can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
