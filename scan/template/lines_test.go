package template

import (
	"fmt"
	"slices"
	"testing"

	"tegata/scan"
)

// inLines is what is told of a text of no known language.
func inLines(t *testing.T, path, body string) (all []string) {
	t.Helper()
	inner := Detect(scan.File(path, scan.Template, []byte(body))).Texts[0]
	if inner.Lang != scan.Template {
		t.Fatalf("it is %s", inner.Lang)
	}
	facts := Detect(inner)
	for _, f := range facts.Findings {
		all = append(all, fmt.Sprintf("%s %s %q", f.ID, f.Confidence, inner.Body[f.At.Start:f.At.End]))
	}
	for _, text := range facts.Texts {
		all = append(all, string(text.Lang))
	}
	return all
}

func TestLines(t *testing.T) {
	t.Parallel()
	const url = "http://169.254.169.254/latest/meta-data/"
	for _, tt := range []struct {
		name, body string
		want       []string
	}{
		{"curl", "run = curl -s " + url + "{{ x }} | tr a b", []string{`TG1001 likely "curl -s ` + url + `{}"`}},
		{"in backticks", "id=`wget -qO- '" + url + "x'`", []string{`TG1001 likely "wget -qO- '` + url + `x'"`}},
		{"continued", "x: curl \\\n  -s \\\n  " + url + "x\n", []string{`TG1001 likely "curl \\\n  -s \\\n  ` + url + `x"`}},
		{"PowerShell", "$id = Invoke-RestMethod `\n  -Uri " + url + "x\n", []string{"TG1001 likely \"Invoke-RestMethod `\\n  -Uri " + url + "x\""}},
		{"a list", `["curl", "-s", "` + url + `x"]`, []string{`TG1001 likely "curl\", \"-s\", \"` + url + `x"`}},
		{"a constant", "host = 'http://169.254.169.254'\nid = $(curl $host/latest/x)", []string{`TG1001 likely "curl $host/latest/x"`}},
		{"two", "a: curl " + url + "a; curl " + url + "b", []string{`TG1001 likely "curl ` + url + `a"`, `TG1001 likely "curl ` + url + `b"`}},
		{"a probe", "x = curl -o /dev/null -w '%{http_code}' " + url + "x", []string{`TG1003 likely "curl -o /dev/null -w '%{http_code}' ` + url + `x"`}},
		{"reachable", "x = curl http://169.254.169.254/", []string{`TG1001 likely "curl http://169.254.169.254/"`}},
		{"unknown path", "x = curl http://169.254.169.254/foo", []string{`TG1001 possible "curl http://169.254.169.254/foo"`}},
		{"version 2", "a = curl -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token\nb = curl -H 'X-aws-ec2-metadata-token: $T' " + url + "x", []string{"text"}},
		{"another cloud", "x = curl -H Metadata:true http://169.254.169.254/metadata/instance\ny = curl -H 'Metadata-Flavor: Google' http://169.254.169.254/x", []string{"text"}},
		{"another cloud by its path", "x = curl http://169.254.169.254/openstack/latest/meta_data.json", []string{"text"}},
		{"mentions", "# curl " + url + "\n// curl " + url + "\necho curl " + url + "\nno_proxy: 169.254.169.254\niptables -d 169.254.169.254 # not for curl \n", []string{"text"}},
		{"nothing", "a = b", []string{"text"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := inLines(t, "a.conf.j2", tt.body); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What stands within another text is not in the language of the file.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	file := scan.File("a.tf", scan.Terraform, []byte("resource {{\n  curl http://169.254.169.254/latest/\n"))
	b := file.Within()
	b.Verbatim(scan.Span{Start: 0, End: len(file.Body)})
	inner := Detect(b.Text(scan.Template, scan.Layer{Name: "a file"})).Texts[0]
	if facts := Detect(inner); len(facts.Findings) != 1 {
		t.Errorf("%s: %+v", inner.Lang, facts)
	}
}
