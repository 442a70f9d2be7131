package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var places = Places{IMDS: "http://169.254.169.254", AWS: "http://127.0.0.1:4566/", Home: "/box/home", Path: "/box/bin"}

// clean is what Environ gives for the default scenario and an empty outside.
func clean() map[string]string {
	return map[string]string{
		"HOME":                              "/box/home",
		"PATH":                              "/box/bin",
		"AWS_REGION":                        "ap-northeast-1",
		"AWS_DEFAULT_REGION":                "ap-northeast-1",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://169.254.169.254/",
		"AWS_ENDPOINT_URL":                  "http://127.0.0.1:4566",
		"AWS_CONFIG_FILE":                   filepath.FromSlash("/box/home/.aws/config"),
		"AWS_SHARED_CREDENTIALS_FILE":       filepath.FromSlash("/box/home/.aws/credentials"),
		"BEDROCK_MODEL_ID":                  "jp.anthropic.claude-sonnet-4-6",
	}
}

func TestEnviron(t *testing.T) {
	tests := []struct {
		name, yaml string
		outer      []string
		change     func(env map[string]string)
	}{
		{"empty outside", "", nil, func(map[string]string) {}},
		{"harmless variables pass", "", []string{"TERM=xterm", "LANG=ja_JP.UTF-8", "EMPTY=", "GOPROXY=off", "X=a=b"}, func(env map[string]string) {
			env["TERM"], env["LANG"], env["EMPTY"], env["GOPROXY"], env["X"] = "xterm", "ja_JP.UTF-8", "", "off", "a=b"
		}},
		{"the directory comes first in PATH", "", []string{"PATH=/usr/bin:/bin"}, func(env map[string]string) {
			env["PATH"] = "/box/bin" + string(os.PathListSeparator) + "/usr/bin:/bin"
		}},
		{"AWS variables do not", "", []string{
			"AWS_ACCESS_KEY_ID=AKIADECOY", "AWS_SECRET_ACCESS_KEY=decoy", "AWS_SESSION_TOKEN=decoy", "AWS_PROFILE=decoy",
			"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_ENDPOINT_URL_STS=http://decoy", "AWS_EC2_METADATA_DISABLED=true",
			"AWS_BEARER_TOKEN_BEDROCK=decoy", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://decoy", "AWS_CA_BUNDLE=/decoy",
			"AWS_CONFIG_FILE=/decoy/.aws/config", "AWS_SHARED_CREDENTIALS_FILE=/decoy/.aws/credentials", "AWS_REGION=us-east-1", "HOME=/decoy",
		}, func(map[string]string) {}},
		{"proxies do not", "", []string{
			"HTTP_PROXY=http://decoy", "HTTPS_PROXY=http://decoy", "ALL_PROXY=http://decoy", "NO_PROXY=decoy",
			"http_proxy=http://decoy", "https_proxy=http://decoy", "all_proxy=http://decoy", "no_proxy=decoy", "Http_Proxy=http://decoy",
		}, func(map[string]string) {}},
		{"the scenario has the last word", "environment: {TERM: dumb, LANG: null, AWS_REGION: eu-west-1, HOME_OF: \"${HOME}/x ${HOME} $HOME ${OTHER}\"}", []string{"TERM=xterm", "LANG=C"},
			func(env map[string]string) {
				env["TERM"], env["AWS_REGION"] = "dumb", "eu-west-1"
				env["HOME_OF"] = "/box/home/x /box/home $HOME ${OTHER}"
			}},
		{"another region", "instance: {region: eu-west-1}", nil, func(env map[string]string) {
			env["AWS_REGION"], env["AWS_DEFAULT_REGION"] = "eu-west-1", "eu-west-1"
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := clean()
			tt.change(want)
			if diff := cmp.Diff(variables(want), parse(t, tt.yaml).Environ(tt.outer, places)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Variables that name certificates lead to those of the box, whatever the
// outside has in them; the scenario has the last word, also to break them.
func TestEnvironTrust(t *testing.T) {
	p := places
	p.CA = "/box/ca.pem"
	outer := []string{"AWS_CA_BUNDLE=/decoy", "SSL_CERT_FILE=/decoy", "REQUESTS_CA_BUNDLE=/decoy", "SSL_CERT_DIR=/etc/ssl/certs"}
	want := clean()
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		want[name] = p.CA
	}
	want["SSL_CERT_DIR"] = "/etc/ssl/certs"
	if diff := cmp.Diff(variables(want), Default().Environ(outer, p)); diff != "" {
		t.Error(diff)
	}
	delete(want, "SSL_CERT_FILE")
	delete(want, "AWS_ENDPOINT_URL")
	want["AWS_CA_BUNDLE"] = "/box/home/corp.pem"
	s := parse(t, "environment: {SSL_CERT_FILE: null, AWS_ENDPOINT_URL: null, AWS_CA_BUNDLE: \"${HOME}/corp.pem\"}")
	if diff := cmp.Diff(variables(want), s.Environ(outer, p)); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironWithoutPath(t *testing.T) {
	p := places
	p.Path = ""
	for _, kv := range Default().Environ(nil, p) {
		if strings.HasPrefix(kv, "PATH=") {
			t.Errorf("got %s, want no PATH", kv)
		}
	}
}

func TestEnvironRegionUnset(t *testing.T) {
	s := Default()
	if err := s.Apply("region-unset"); err != nil {
		t.Fatal(err)
	}
	want := clean()
	delete(want, "AWS_REGION")
	delete(want, "AWS_DEFAULT_REGION")
	want["COMPOSE_FILE"] = "/box/home/bedrock-ui/docker-compose.yml"
	outer := []string{"AWS_REGION=us-east-1", "COMPOSE_FILE=/decoy.yml"}
	if diff := cmp.Diff(variables(want), s.Environ(outer, places)); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironDoesNotTellTheFault(t *testing.T) {
	for _, f := range Faults() {
		s := Default()
		if err := s.Apply(f.Name); err != nil {
			t.Fatal(err)
		}
		env := strings.Join(s.Environ(nil, places), "\n")
		if strings.Contains(env, f.Name) || strings.Contains(env, f.Finding) {
			t.Errorf("%s: the environment tells it:\n%s", f.Name, env)
		}
	}
}

func TestWriteFiles(t *testing.T) {
	home := t.TempDir()
	s := parse(t, "files: {.aws/config: \"[default]\\n\", app/.env: \"A=b\\n\"}")
	if err := s.WriteFiles(home); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{".aws/config": "[default]\n", ".aws/credentials": "", "app/.env": "A=b\n"} {
		got, err := os.ReadFile(filepath.Join(home, filepath.FromSlash(name)))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestWriteFilesStaysInHome(t *testing.T) {
	outside, home := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link/x", "../x", filepath.ToSlash(filepath.Join(outside, "x"))} {
		s := Default()
		s.Files = map[string]string{name: "escaped"}
		if err := s.WriteFiles(home); err == nil {
			t.Errorf("%s: written, want an error", name)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}

// Without a box, a variable that leads elsewhere is found.
func TestLeadsOut(t *testing.T) {
	t.Parallel()
	home := Places{IMDS: "http://127.0.0.1:1338", AWS: "http://127.0.0.1:4566", Home: "/h"}
	for environment, want := range map[string]string{
		"{}":                       "",
		"{AWS_ENDPOINT_URL: null}": "AWS_ENDPOINT_URL",
		"{AWS_EC2_METADATA_SERVICE_ENDPOINT: null}":                                                            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"{AWS_EC2_METADATA_SERVICE_ENDPOINT: \"http://169.254.169.254/\"}":                                     "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"{AWS_ENDPOINT_URL_STS: \"https://sts.eu-west-1.amazonaws.com\"}":                                      "AWS_ENDPOINT_URL_STS",
		"{AWS_ENDPOINT_URL_STS: \"http://[::1]:4566\", AWS_CONTAINER_CREDENTIALS_FULL_URI: \"http://host/x\"}": "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	} {
		s := parse(t, "environment: "+environment)
		if got := LeadsOut(s.Environ(nil, home)); got != want {
			t.Errorf("%s: %q, want %q", environment, got, want)
		}
	}
}
