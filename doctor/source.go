package doctor

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"tegata/internal/report"
)

// A kind is one of the places that AWS clients look for credentials, in the
// order in which they do.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
type kind string

const (
	fromEnvironment kind = "environment"
	fromWebIdentity kind = "web identity"
	fromProfile     kind = "profile"
	fromContainer   kind = "container"
	fromRole        kind = "role of the instance"
)

// A source is where AWS clients here find their credentials.
type source struct {
	kind   kind
	origin string // variable or file:line
	keyID  string // "" where it can't be read
}

// source returns the first place that has credentials.
func (h *Host) source() source {
	if h.getenv("AWS_ACCESS_KEY_ID") != "" && h.getenv("AWS_SECRET_ACCESS_KEY") != "" {
		return source{fromEnvironment, h.originOf("AWS_ACCESS_KEY_ID"), h.getenv("AWS_ACCESS_KEY_ID")}
	}
	if h.getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && h.getenv("AWS_ROLE_ARN") != "" {
		return source{kind: fromWebIdentity, origin: h.originOf("AWS_WEB_IDENTITY_TOKEN_FILE")}
	}
	if s, ok := h.profileSource(); ok {
		return s
	}
	for _, name := range []string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if h.getenv(name) != "" {
			return source{kind: fromContainer, origin: h.originOf(name)}
		}
	}
	return source{kind: fromRole}
}

// profileSource looks into both of the SDKs' files, as they do.
func (h *Host) profileSource() (source, bool) {
	for _, f := range []struct{ variable, name, prefix string }{
		{"AWS_SHARED_CREDENTIALS_FILE", "credentials", ""},
		{"AWS_CONFIG_FILE", "config", "profile "},
	} {
		path := h.settingsFile(f.variable, f.name)
		for _, s := range settings(h.read(path), h.profile(), f.prefix) {
			switch s.name {
			case "aws_access_key_id":
				return source{fromProfile, fmt.Sprintf("%s:%d", path, s.line), s.value}, true
			case "role_arn", "credential_process", "sso_session", "sso_start_url":
				return source{fromProfile, fmt.Sprintf("%s:%d", path, s.line), ""}, true
			}
		}
	}
	return source{}, false
}

func (h *Host) settingsFile(variable, name string) string {
	if path := h.getenv(variable); path != "" {
		return path
	}
	return filepath.Join(h.Home, ".aws", name)
}

func (h *Host) profile() string {
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		if v := h.getenv(name); v != "" {
			return v
		}
	}
	return "default"
}

// settings returns the settings of one profile in the text of a settings
// file. The default profile never has the prefix.
func settings(text, profile, prefix string) []assignment {
	var found []assignment
	inside := false
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if section, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSpace(strings.TrimSuffix(section, "]"))
			inside = section == prefix+profile || section == profile && profile == "default"
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if inside && ok && !strings.HasPrefix(line, "#") {
			found = append(found, assignment{strings.TrimSpace(name), strings.TrimSpace(value), n})
		}
	}
	return found
}

func sourceChecks() []Check {
	return []Check{
		{
			Name: "credentials", After: []string{"imds-setting", "role-credentials"}, Unknown: "TG3900", Run: checkSource,
			Title: title("credentials that AWS clients find", "AWS クライアントが使う認証情報"),
		},
	}
}

// checkSource finds what stands before the role in the clients' search.
func checkSource(_ context.Context, h *Host, known Facts) Outcome {
	s := h.source()
	evidence := map[string]string{"origin": s.origin, "key_id": maskKey(s.keyID)}
	session := h.getenv("AWS_SESSION_TOKEN")
	switch {
	case h.missingProfile() != nil:
		return fail(found("TG3009", h.missingProfile()))
	case h.half() != "":
		set := h.half()
		return fail(found("TG3007", map[string]string{"variable": set, "missing": otherHalf[set]}))
	case s.kind == fromRole && isTrue(h.getenv("AWS_EC2_METADATA_DISABLED")):
		return blocked("imds-setting")
	case s.kind == fromRole && known.Credentials == nil:
		return blocked("role-credentials")
	case s.kind == fromEnvironment && strings.HasPrefix(s.keyID, "ASIA") && session == "":
		return fail(found("TG3008", evidence))
	case s.kind == fromEnvironment && h.exportedUntil(known) != "":
		evidence["expiration"] = h.exportedUntil(known)
		return fail(found("TG3005", evidence))
	case strings.HasPrefix(s.keyID, "AKIA") && known.Role != "":
		return warn(found("TG3004", evidence), fact("source", string(s.kind)))
	}
	facts := []report.Field{told("source", string(s.kind), "%s")}
	if s.origin != "" {
		facts = append(facts, told("origin", s.origin, "from %s"))
	}
	return pass(facts...)
}

// missingProfile returns the evidence for a profile that was named and is in
// none of the files, or nil.
func (h *Host) missingProfile() map[string]string {
	variable := "AWS_PROFILE"
	if h.getenv(variable) == "" {
		variable = "AWS_DEFAULT_PROFILE"
	}
	profile := h.getenv(variable)
	config := h.settingsFile("AWS_CONFIG_FILE", "config")
	credentials := h.settingsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")
	if profile == "" || hasProfile(h.read(config), profile) || hasProfile(h.read(credentials), profile) {
		return nil
	}
	return map[string]string{
		"config_profile": profile, "variable": variable, "config_file": config, "credentials_file": credentials,
	}
}

// hasProfile reports whether the text of either settings file has a section
// for the profile.
func hasProfile(text, profile string) bool {
	for line := range strings.Lines(text) {
		section, ok := strings.CutPrefix(strings.TrimSpace(line), "[")
		name, closed := strings.CutSuffix(section, "]")
		if ok && closed && strings.TrimSpace(strings.TrimPrefix(name, "profile ")) == profile {
			return true
		}
	}
	return false
}

var otherHalf = map[string]string{
	"AWS_ACCESS_KEY_ID":     "AWS_SECRET_ACCESS_KEY",
	"AWS_SECRET_ACCESS_KEY": "AWS_ACCESS_KEY_ID",
}

// half returns the variable of a key pair that is set without the other.
func (h *Host) half() string {
	for set, other := range otherHalf {
		if h.getenv(set) != "" && h.getenv(other) == "" {
			return set
		}
	}
	return ""
}

// exportedUntil returns the end of session keys that `aws configure
// export-credentials` wrote down beside them, if it is past.
func (h *Host) exportedUntil(known Facts) string {
	end, err := time.Parse(time.RFC3339, h.getenv("AWS_CREDENTIAL_EXPIRATION"))
	if err != nil || h.now().Add(-known.Skew).Before(end) {
		return ""
	}
	return end.UTC().Format(time.RFC3339)
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") }
