//go:build unix

package test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// documented are the faults that the documentation shows, with what doctor
// must find.
var documented = map[string]string{
	"imds-disabled":       "TG2004",
	"hop-limit":           "TG2003",
	"no-role":             "TG3001",
	"role-trust":          "TG3002",
	"expired-credentials": "TG3013",
	"region-cut":          "TG4002",
	"region-unset":        "TG4003",
	"model-access":        "TG6001",
	"model-profile":       "TG6002",
	"model-eol":           "TG6014",
}

var anyID = regexp.MustCompile(`\bTG\d{4}\b`)

func TestDoctorHealthy(t *testing.T) {
	t.Parallel()
	requireBox(t)
	r := run(t, "sandbox", "--", "tegata", "doctor")
	r.wants(t, 0)
	if id := anyID.FindString(r.stdout); id != "" {
		t.Errorf("a healthy instance has finding %s:\n%s", id, r.stdout)
	}
}

// Each fault is told by its own id, first, with nothing in the environment or
// the process table to know it from.
func TestDoctorFaults(t *testing.T) {
	requireBox(t)
	for fault, id := range documented {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for _, lang := range []string{"en", "ja"} {
				r := run(t, "sandbox", "--fault", fault, "--", "tegata", "doctor", "--lang", lang)
				r.wants(t, 3)
				if got := anyID.FindString(r.stdout); got != id {
					t.Errorf("first finding %q, want %s\n%s", got, id, r.stdout)
				}
				if r.took > 15*time.Second {
					t.Errorf("took %v", r.took)
				}
			}
			r := run(t, "sandbox", "--fault", fault, "--", "sh", "-c",
				`env; tr '\0' '\n' </proc/1/environ; for f in /proc/[0-9]*/cmdline; do tr '\0' ' ' <$f; done; find "$HOME"`)
			r.wants(t, 0)
			if strings.Contains(r.stdout, fault) || anyID.MatchString(r.stdout) {
				t.Errorf("the command can see which fault is on:\n%s", r.stdout)
			}
		})
	}
}

// Nobody prepared for these.
func TestDoctorUnforeseen(t *testing.T) {
	requireBox(t)
	elsewhere := "instance: {id: i-0feedfacecafebeef, type: m7g.large, region: eu-west-1, zone: eu-west-1b, account: \"210987654321\"}\n" +
		"environment: {BEDROCK_MODEL_ID: eu.anthropic.claude-sonnet-4-6}\n"
	for _, test := range []struct {
		name, scenario, want string
		evidence             []string
	}{
		{"region hangs", "replies: [{match: {service: imds, path: /latest/meta-data/placement/region}, reply: {hang: true}}]\n", "TG2900", []string{"placement/region"}},
		{"list of roles is garbage", "replies: [{match: {service: imds, path: /latest/meta-data/iam/security-credentials/}, reply: {status: 500, body: oops}}]\n", "TG", []string{"500"}},
		{"identity hangs", "replies: [{match: {service: sts}, reply: {hang: true}}]\n", "TG4", nil},
		{"identity fails", "replies: [{match: {service: sts}, reply: {status: 503, code: InternalFailure, message: strange words}}]\n", "TG4900", []string{"InternalFailure"}},
		{"model fails", "replies: [{match: {service: bedrock-runtime}, reply: {status: 418, code: TeapotException, message: strange words}}]\n", "TG6900", []string{"TeapotException"}},
		{"model hangs", "replies: [{match: {service: bedrock-runtime}, reply: {hang: true}}]\n", "TG6", nil},
		{"answer is cut", "replies: [{match: {service: bedrock-runtime}, reply: {truncate: 20}}]\n", "TG6", nil},
		{"everything is reset", "replies: [{reply: {reset: true}}]\n", "TG2", nil},
		{"everything hangs", "replies: [{reply: {hang: true}}]\n", "TG2900", nil},
		{"no service at all", "imds: {listen: refuse}\n", "TG2", nil},
		{"throttled", "replies: [{match: {service: bedrock-runtime}, reply: {status: 429, code: ThrottlingException, message: \"Too many tokens, please wait before trying again.\"}}]\n", "TG6010", nil},
		{"no right to the profile", "role: {policies: {bedrock-ui-invoke: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: [\"bedrock:InvokeModel*\", \"bedrock:List*\", \"bedrock:Get*\"], Resource: \"arn:aws:bedrock:*::foundation-model/*\"}, {Effect: Allow, Action: [\"bedrock:List*\", \"bedrock:Get*\"], Resource: \"*\"}]}}}\n", "TG6005", []string{"inference-profile"}},
		{"right taken away", "role: {policies: {bedrock-ui-invoke: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: \"bedrock:*\", Resource: \"*\"}, {Effect: Deny, Action: \"bedrock:InvokeModelWithResponseStream\", Resource: \"*\"}]}}}\n", "TG6020", []string{"identity-based policy"}},
		{"good credentials called expired", "replies: [{match: {service: sts}, reply: {status: 403, code: ExpiredToken, message: The security token included in the request is expired}}]\n", "TG4900", []string{"ExpiredToken"}},
		{"identity says nothing", "replies: [{match: {service: sts}, reply: {status: 200, body: \"\"}}]\n", "TG4900", nil},
		{"model says nothing", "replies: [{match: {service: bedrock-runtime}, reply: {status: 200, body: \"{}\"}}]\n", "TG6900", nil},
		{"a proxy forbids metadata", "replies: [{match: {service: imds}, reply: {status: 403, body: \"<html>denied</html>\", headers: {Server: squid}}}]\n", "TG2900", []string{"status 403"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, "sandbox", "--scenario", scenario(t, elsewhere+test.scenario), "--", "tegata", "doctor")
			r.wants(t, 3, test.evidence...)
			if got := anyID.FindString(r.stdout); !strings.HasPrefix(got, test.want) {
				t.Errorf("first finding %q, want %s", got, test.want)
			}
			if r.took > 15*time.Second {
				t.Errorf("took %v", r.took)
			}
			if t.Failed() {
				t.Log(r.stdout)
			}
		})
	}
	for name, healthy := range map[string]string{
		"nothing is wrong":                       "",
		"metadata that is set up in another way": "imds: {tokens: optional, tags: true, ipv6: false, keep_alive: true}\n",
		"a role with an odd name and no right too many": "role: {name: \"app+=,.@-role_1\", profile: \"p+=,.@-1\", policies: {bedrock-ui-invoke: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Action: [\"bedrock:InvokeModel\", \"bedrock:InvokeModelWithResponseStream\"], " +
			"Resource: [\"arn:aws:bedrock:eu-west-1:210987654321:inference-profile/eu.anthropic.claude-sonnet-4-6\", \"arn:aws:bedrock:eu-*::foundation-model/anthropic.claude-sonnet-4-6\"]}]}}}\n",
		"a list that is asked for too often": "replies: [{match: {service: bedrock}, reply: {status: 429, code: ThrottlingException, message: Rate exceeded}}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, "sandbox", "--scenario", scenario(t, elsewhere+healthy), "--", "tegata", "doctor")
			r.wants(t, 0, "eu-west-1", "i-0feedfacecafebeef")
		})
	}
}

// Where metadata is asked can be set wrongly, too.
func TestDoctorAddress(t *testing.T) {
	requireBox(t)
	for _, test := range []struct{ name, environment, want string }{
		{"a path", "{AWS_EC2_METADATA_SERVICE_ENDPOINT: \"http://169.254.169.254/latest/\"}", "TG2018"},
		{"TLS", "{AWS_EC2_METADATA_SERVICE_ENDPOINT: \"https://169.254.169.254\"}", "TG2018"},
		{"no scheme", "{AWS_EC2_METADATA_SERVICE_ENDPOINT: 169.254.169.254}", "TG2018"},
		{"another port", "{AWS_EC2_METADATA_SERVICE_ENDPOINT: \"http://169.254.169.254:8080\"}", "TG2018"},
		{"IPv6 that is off", "{AWS_EC2_METADATA_SERVICE_ENDPOINT: null, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: IPv6}\nimds: {ipv6: false}", "TG2010"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, "sandbox", "--scenario", scenario(t, "environment: "+test.environment+"\n"), "--", "tegata", "doctor")
			r.wants(t, 3)
			if got := anyID.FindString(r.stdout); got != test.want {
				t.Errorf("first finding %q, want %s\n%s", got, test.want, r.stdout)
			}
		})
	}
}
