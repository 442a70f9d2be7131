package docker

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

func told(t *scan.Text) (all []string) {
	for _, inner := range Detect(t).Texts {
		all = append(all, fmt.Sprintf("%s %s %q", strings.Join(inner.Origin, ", "), inner.Lang, inner.Body))
	}
	return all
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range detections {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := told(scan.File("Dockerfile", scan.Docker, []byte(tt.body))); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

var detections = []struct {
	name, body string
	want       []string
}{
	{"shell form", "FROM a\nRUN id && curl x\nCMD curl y", []string{`RUN, image build sh "id && curl x"`, `CMD sh "curl y"`}},
	{"continued", "RUN id; \\\r\n  # comment\r\n\r\n  curl \\\n x\r\nCMD y\r\n", []string{`RUN, image build sh "id;   curl  x"`, `CMD sh "y"`}},
	{"exec form", `RUN ["bash", "-c", "curl \"\u0078\" \ud83d\ude00"]` + "\n" + `ENTRYPOINT ["curl", "x"]` + "\n" + `CMD [ "sh" , "-ec", "id\nls" ]`,
		[]string{`RUN, image build bash "curl \"x\" 😀"`, `ENTRYPOINT sh "curl x"`, `CMD sh "id\nls"`}},
	{"shell", `SHELL ["/bin/bash", "-o", "pipefail", "-c"]` + "\nRUN a\nFROM b\nRUN c", []string{`RUN, image build bash "a"`, `RUN, image build sh "c"`}},
	{"PowerShell", "# escape=`\nFROM mcr.microsoft.com/windows/servercore\nRUN a\nSHELL [\"powershell\", \"-Command\"]\nRUN b `\n c",
		[]string{`RUN, image build batch "a"`, `RUN, image build powershell "b  c"`}},
	{"health", "HEALTHCHECK --interval=5m CMD curl -f x || exit 1\nHEALTHCHECK NONE", []string{`HEALTHCHECK sh " curl -f x || exit 1"`}},
	{"options", "RUN --mount=type=cache,target=/x --network=none curl x", []string{`RUN, image build sh "curl x"`}},
	{"for later", "ONBUILD RUN curl x", []string{`RUN, image build sh "curl x"`}},
	{"variables", "ENV HOST=169.254.169.254 X=y\nARG URL http://169.254.169.254/latest\nRUN curl $HOST/a ${URL}/b $X $",
		[]string{`RUN, image build sh "curl 169.254.169.254/a http://169.254.169.254/latest/b $X $"`}},
	{"a script", "RUN <<EOF\ncurl x\nls\nEOF\nCMD id", []string{`image build sh "curl x\nls\n"`, `CMD sh "id"`}},
	{"a script with its interpreter", "RUN <<-'EOF'\n\t#!/usr/bin/python3\n\tx\n\tEOF", []string{`image build python "#!/usr/bin/python3\nx\n"`}},
	{"a script for a program", "RUN <<EOF python3\nx\nEOF\nRUN bash <<EOF\ncurl x\nEOF", []string{`image build python "x\n"`, `RUN, image build sh "bash <<EOF\ncurl x\nEOF"`}},
	{"a file", "COPY <<EOF /usr/bin/x\n#!/bin/bash\ncurl x\nEOF\nCOPY --chmod=755 <<a.py <<b.sh /x/\nid\na.py\nls\nb.sh",
		[]string{`/usr/bin/x bash "#!/bin/bash\ncurl x\n"`, `/x/a.py python "id\n"`, `/x/b.sh sh "ls\n"`}},
	{"nothing", "# RUN curl x\nEXPOSE 80\nCOPY a b\nCOPY\nONBUILD\nRUN <<EOF", []string{`image build sh ""`}},
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, text, want string }{
		{"shell form", "CMD a xx \\\n b", `"$(t)"`, "CMD a \"$(t)\" \\\n b"},
		{"exec form", `CMD ["sh", "-c", "a xx"]`, "\"$(t)\"\n\\", `CMD ["sh", "-c", "a \"$(t)\"\n\\"]`},
		{"a line break", "CMD xx", "a\nb", ""},
		{"no shell", `CMD ["curl", "xx"]`, "a", ""},
		{"at the build", "RUN xx", "a", ""},
		{"at the build in words", `RUN ["sh", "-c", "xx"]`, "a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inner := Detect(scan.File("Dockerfile", scan.Docker, []byte(tt.body))).Texts[0]
			i := strings.Index(inner.Body, "xx")
			e, err := inner.Edit(scan.Splice{At: scan.Span{Start: i, End: i + 2}, Text: tt.text})
			if err != nil {
				if tt.want != "" {
					t.Fatal(err)
				}
				return
			}
			got, err := edit.Apply(tt.body, []edit.Edit{e})
			if err != nil || got != tt.want {
				t.Fatalf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			again := Detect(scan.File("Dockerfile", scan.Docker, []byte(got))).Texts[0].Body
			if want := inner.Body[:i] + tt.text + inner.Body[i+2:]; again != want {
				t.Errorf("read again as %q, want %q", again, want)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	for _, tt := range detections {
		f.Add(tt.body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		file := scan.File("Dockerfile", scan.Docker, []byte(body))
		for _, inner := range Detect(file).Texts {
			at := inner.InFile(scan.Span{Start: 0, End: len(inner.Body)})
			if at.Start < 0 || at.End > len(body) || at.Start > at.End {
				t.Errorf("%q stands at %v", inner.Body, at)
			}
		}
	})
}
