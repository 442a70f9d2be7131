package imds_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

var (
	launched = time.Date(2026, 9, 1, 8, 30, 0, 0, time.UTC)

	credentials = imds.Credentials{
		Code: "Success", LastUpdated: launched, Type: "AWS-HMAC",
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "sec/ret+&<>=", Token: "IQoJ//to+ken==", Expiration: launched.Add(6 * time.Hour),
	}
	identity = imds.IdentityDocument{
		AccountID: "123456789012", Architecture: "x86_64", AvailabilityZone: "ap-northeast-1a", BillingProducts: []string{"bp-1", "bp-2"},
		ImageID: "ami-0abcdef1234567890", InstanceID: instanceID, InstanceType: "t3.small", PendingTime: launched,
		PrivateIP: "10.0.0.10", Region: "ap-northeast-1", Version: "2017-09-30",
	}
	iamInfo = imds.IAMInfo{
		Code: "Success", LastUpdated: launched,
		InstanceProfileArn: "arn:aws:iam::123456789012:instance-profile/p", InstanceProfileID: "AIPAEXAMPLE",
	}
)

func TestDocument(t *testing.T) {
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"credentials", credentials.Document(), `{
  "Code" : "Success",
  "LastUpdated" : "2026-09-01T08:30:00Z",
  "Type" : "AWS-HMAC",
  "AccessKeyId" : "ASIAEXAMPLE",
  "SecretAccessKey" : "sec/ret+&<>=",
  "Token" : "IQoJ//to+ken==",
  "Expiration" : "2026-09-01T14:30:00Z"
}`},
		{"no credentials", imds.Credentials{Code: "AssumeRoleUnauthorizedAccess", Message: `the "role"`, LastUpdated: launched}.Document(), `{
  "Code" : "AssumeRoleUnauthorizedAccess",
  "Message" : "the \"role\"",
  "LastUpdated" : "2026-09-01T08:30:00Z"
}`},
		{"identity", identity.Document(), `{
  "accountId" : "123456789012",
  "architecture" : "x86_64",
  "availabilityZone" : "ap-northeast-1a",
  "billingProducts" : [ "bp-1", "bp-2" ],
  "devpayProductCodes" : null,
  "marketplaceProductCodes" : null,
  "imageId" : "ami-0abcdef1234567890",
  "instanceId" : "i-1234567890abcdef0",
  "instanceType" : "t3.small",
  "kernelId" : null,
  "pendingTime" : "2026-09-01T08:30:00Z",
  "privateIp" : "10.0.0.10",
  "ramdiskId" : null,
  "region" : "ap-northeast-1",
  "version" : "2017-09-30"
}`},
		{"info", iamInfo.Document(), `{
  "Code" : "Success",
  "LastUpdated" : "2026-09-01T08:30:00Z",
  "InstanceProfileArn" : "arn:aws:iam::123456789012:instance-profile/p",
  "InstanceProfileId" : "AIPAEXAMPLE"
}`},
		{"no info", imds.IAMInfo{Code: "InstanceProfileNotFound", Message: "m", LastUpdated: launched}.Document(), `{
  "Code" : "InstanceProfileNotFound",
  "Message" : "m",
  "LastUpdated" : "2026-09-01T08:30:00Z"
}`},
	}
	for _, tt := range tests {
		if d := cmp.Diff(tt.want, string(tt.got)); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
}

func TestParseBack(t *testing.T) {
	check(t, credentials)(imds.ParseCredentials(credentials.Document()))
	check(t, identity)(imds.ParseIdentityDocument(identity.Document()))
	check(t, iamInfo)(imds.ParseIAMInfo(iamInfo.Document()))
}

func TestParseCredentialsErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", ``, "not JSON at byte 0 of 0"},
		{"cut", `{"Token" : "SECRETWORD`, "not JSON at byte 22 of 22"},
		{"garbage", `SECRETWORD`, "not JSON at byte 1 of 10"},
		{"wrong type", `{"Token" : ["SECRETWORD"]}`, `"Token" is not of the right type`},
		{"list", `[]`, `"" is not of the right type`},
		{"no keys", `{"Code" : "Success"}`, "missing AccessKeyId"},
		{"no secret", `{"AccessKeyId" : "A"}`, "missing SecretAccessKey"},
		{"no token", `{"AccessKeyId" : "A", "SecretAccessKey" : "SECRETWORD"}`, "missing Token"},
		{"no end", `{"AccessKeyId" : "A", "SecretAccessKey" : "SECRETWORD", "Token" : "T"}`, "missing Expiration"},
		{"odd end", `{"AccessKeyId" : "A", "Expiration" : "SECRETWORD"}`, "a time is not in the form of RFC 3339"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := imds.ParseCredentials([]byte(tt.in))
			if want := imds.ErrMalformed.Error() + ": " + tt.want; err == nil || err.Error() != want || !errors.Is(err, imds.ErrMalformed) {
				t.Errorf("got %v, want %s", err, want)
			}
			if d := cmp.Diff(imds.Credentials{}, c); d != "" {
				t.Errorf("with an error came credentials:\n%s", d)
			}
		})
	}
}

func TestSecret(t *testing.T) {
	const word = "SECRETWORD"
	s := imds.Secret(word)
	holder := struct {
		S imds.Secret
		P *imds.Secret
		M map[string]imds.Secret
	}{s, &s, map[string]imds.Secret{"k": s}}

	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3s", "%U", "%T"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", s, holder)
	}
	fmt.Fprintln(&out, s, holder, fmt.Errorf("with %v", s))
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("look", "s", s, "holder", holder, "creds", imds.Credentials{Token: s})
	}
	for _, v := range []any{s, holder, imds.Credentials{SecretAccessKey: s, Token: s}} {
		j, err := json.Marshal(v)
		if err != nil || !bytes.Contains(j, []byte(`"redacted"`)) {
			t.Errorf("json: %s, %v", j, err)
		}
		out.Write(j)
	}
	if all := strings.ToLower(out.String()); strings.Contains(all, strings.ToLower(word)) || strings.Contains(all, fmt.Sprintf("%x", word)) {
		t.Errorf("shown in\n%s", all)
	}
	if s.Reveal() != word {
		t.Error("Reveal does not reveal")
	}
}

func FuzzParseCredentials(f *testing.F) {
	f.Add(credentials.Document())
	f.Add(imds.Credentials{Code: "Failed", Message: "m"}.Document())
	f.Add([]byte(`{"AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2026-09-01T08:30:00.5+09:00"}`))
	f.Add([]byte("{\"Code\":\"\xff\\u0000<>\"}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := imds.ParseCredentials(data)
		if err != nil {
			if !errors.Is(err, imds.ErrMalformed) {
				t.Errorf("%v is not ErrMalformed", err)
			}
			return
		}
		first := c.Document()
		if !json.Valid(first) {
			t.Fatalf("not JSON: %s", first)
		}
		again, err := imds.ParseCredentials(first)
		if err != nil || !bytes.Equal(again.Document(), first) {
			t.Errorf("%v\n%s\nbecame\n%s", err, first, again.Document())
		}
	})
}
