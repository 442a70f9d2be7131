package doctor

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func hostWith(env map[string]string, files map[string]string) *Host {
	h := &Host{
		Getenv: func(name string) string { return env[name] },
		Dir:    "/app",
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[filepath.ToSlash(path)]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
	}
	for name, v := range env {
		h.Environ = append(h.Environ, name+"="+v)
	}
	return h
}

func TestComposeRegions(t *testing.T) {
	const file, dotenv = "/app/compose.yaml:1", "/app/.env:1"
	for _, test := range []struct {
		line, env, dotenv string // env and dotenv: "-" means not set
		want              []regionSetting
	}{
		{"AWS_REGION: ${AWS_REGION}", "-", "-", []regionSetting{{"AWS_REGION", "", file}}},
		{"AWS_REGION: $AWS_REGION", "-", "-", []regionSetting{{"AWS_REGION", "", file}}},
		{"AWS_REGION: ${AWS_REGION:-}", "-", "-", []regionSetting{{"AWS_REGION", "", file}}},
		{"AWS_REGION: ${AWS_REGION:-ap}", "-", "-", []regionSetting{{"AWS_REGION", "ap", file}}},
		{"AWS_REGION: ${AWS_REGION:-ap}", "", "-", []regionSetting{{"AWS_REGION", "ap", file}}},
		{"AWS_REGION: ${AWS_REGION-ap}", "", "-", []regionSetting{{"AWS_REGION", "", file}}},
		{"AWS_REGION: ${AWS_REGION-ap}", "-", "-", []regionSetting{{"AWS_REGION", "ap", file}}},
		{"AWS_REGION: ${AWS_REGION}", "us-east-1", "eu-west-1", []regionSetting{{"AWS_REGION", "us-east-1", "$AWS_REGION"}}},
		{"AWS_REGION: ${AWS_REGION}", "-", "eu-west-1", []regionSetting{{"AWS_REGION", "eu-west-1", dotenv}}},
		{"AWS_REGION: ${AWS_REGION}", "", "eu-west-1", []regionSetting{{"AWS_REGION", "", file}}},
		{"AWS_REGION: ${AWS_REGION:?no region}", "-", "-", nil},
		{"AWS_REGION: ${AWS_REGION:+x}", "-", "-", nil},
		{"- AWS_REGION=eu-west-1 # here", "-", "-", []regionSetting{{"AWS_REGION", "eu-west-1", file}}},
		{`AWS_DEFAULT_REGION: "ap"`, "-", "-", []regionSetting{{"AWS_DEFAULT_REGION", "ap", file}}},
		{"AWS_REGION:", "-", "-", nil},
		{"# AWS_REGION: ${AWS_REGION}", "-", "-", nil},
		{"command: echo $${AWS_REGION}", "-", "-", nil},
		{"MY_AWS_REGION: x", "-", "-", nil},
		{"X: ${AWS_REGIONS}", "-", "-", nil},
	} {
		env, files := map[string]string{}, map[string]string{"/app/compose.yaml": test.line + "\n"}
		if test.env != "-" {
			env["AWS_REGION"] = test.env
		}
		if test.dotenv != "-" {
			files["/app/.env"] = "AWS_REGION=" + test.dotenv + "\n"
		}
		got := hostWith(env, files).composeRegions()
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(regionSetting{})); diff != "" {
			t.Errorf("%q with %q and %q: %s", test.line, test.env, test.dotenv, diff)
		}
	}
}

func TestComposeFiles(t *testing.T) {
	files := map[string]string{"/app/docker-compose.yml": "a", "/app/b.yml": "b", "/srv/c.yml": "c"}
	for _, test := range []struct{ list, want string }{
		{"", "a"},
		{"b.yml", "b"},
		{strings.Join([]string{"b.yml", "/srv/c.yml"}, string(filepath.ListSeparator)), "bc"},
		{"nowhere.yml", ""},
	} {
		got := ""
		for _, f := range hostWith(map[string]string{"COMPOSE_FILE": test.list}, files).composeFiles() {
			got += f.text
		}
		if got != test.want {
			t.Errorf("COMPOSE_FILE=%q: files %q, want %q", test.list, got, test.want)
		}
	}
}

func TestPublishedPorts(t *testing.T) {
	const file = `name: x
services:
  backend:
    ports:
      - "8000:80"
      - 127.0.0.1:9000:90/tcp
      - "3000-3005:3000-3005"
      - "80"
    image: a
  # a comment
  web:
    image: b
    ports: ["8080:80", '8443:443']
  long:
    ports:
    - target: 80
      published: "7000"
    environment:
      - "1234:5678"
networks:
  ports:
    - "1:2"
`
	got := hostWith(nil, map[string]string{"/app/compose.yml": file}).publishedPorts()
	want := []published{
		{"backend", 8000, "/app/compose.yml:5"}, {"backend", 9000, "/app/compose.yml:6"},
		{"web", 8080, "/app/compose.yml:13"}, {"web", 8443, "/app/compose.yml:13"},
		{"long", 7000, "/app/compose.yml:17"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(published{})); diff != "" {
		t.Error(diff)
	}
}

func TestParseDotenv(t *testing.T) {
	got := parseDotenv("# comment\nA=1\nexport B = 'two # words'\n\nC=\"3\" \nD=x # y\nnothing\nE=\n")
	want := []assignment{{"A", "1", 2}, {"B", "two # words", 3}, {"C", "3", 5}, {"D", "x", 6}, {"E", "", 8}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(assignment{})); diff != "" {
		t.Error(diff)
	}
}

func TestSettings(t *testing.T) {
	const text = "[default]\nregion = a\n# x = y\n[profile other]\nregion=b\n[other]\nregion=c\n"
	for _, test := range []struct {
		profile, prefix string
		want            []assignment
	}{
		{"default", "profile ", []assignment{{"region", "a", 2}}},
		{"other", "profile ", []assignment{{"region", "b", 5}}},
		{"other", "", []assignment{{"region", "c", 7}}},
		{"none", "", nil},
	} {
		got := settings(text, test.profile, test.prefix)
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(assignment{})); diff != "" {
			t.Errorf("%s%s: %s", test.prefix, test.profile, diff)
		}
	}
}

// FuzzFiles: whatever lies in the application's files, nothing panics, and
// what is found stands in the file.
func FuzzFiles(f *testing.F) {
	f.Add(composeFileText, "AWS_REGION=ap\n")
	f.Add("services:\n  a:\n    ports: [\"1:2\"]\n      x: ${AWS_REGION-", "A='")
	f.Fuzz(func(t *testing.T, compose, dotenv string) {
		h := hostWith(nil, map[string]string{"/app/compose.yaml": compose, "/app/.env": dotenv})
		for _, s := range h.composeRegions() {
			if !strings.Contains(compose+dotenv, s.value) {
				t.Errorf("value %q is in no file", s.value)
			}
		}
		h.publishedPorts()
		settings(compose, "default", "profile ")
	})
}
