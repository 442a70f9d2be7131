package systemd

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, unit string
		want       []string
	}{
		{"single quotes", "[Service]\nExecStart=/bin/sh -c 'echo $$(date) %%d \\\\ $X'\n",
			[]string{`ExecStart sh "echo $(date) %d \\ $X"`}},
		{"double quotes", `ExecStartPre=-/usr/bin/bash -ec "curl \"$(id)\" %i"`,
			[]string{`ExecStartPre bash "curl \"$(id)\" {}"`}},
		{"no shell", "ExecStart=@+/usr/bin/curl -s 'http://a/%n'", []string{`ExecStart sh "/usr/bin/curl -s 'http://a/{}'"`}},
		{"continued", "ExecStart=/bin/sh -c 'a \\\n# comment\n  b'\r\nExecStop=/bin/true\r\n",
			[]string{`ExecStart sh "a    b"`, `ExecStop sh "/bin/true"`}},
		{"environment", "Environment=\"U=http://169.254.169.254/latest\" V=x\nExecStart=sh -c 'curl ${U}/a $U/b $V ${V} ${W}'",
			[]string{`ExecStart sh "curl http://169.254.169.254/latest/a http://169.254.169.254/latest/b $V x {}"`}},
		{"environment of the shell", "Environment=U=http://169.254.169.254/latest V=x\nExecStart=sh -c 'curl $$U/a $${U}/b $$V $${V} $$'",
			[]string{`ExecStart sh "curl http://169.254.169.254/latest/a http://169.254.169.254/latest/b $V ${V} $"`}},
		{"no variables", "ExecStart=:sh -c 'a $$ ${X}'", []string{`ExecStart sh "a $$ ${X}"`}},
		{"several commands", `ExecStart=/bin/a ; /bin/sh -c "b ; c" ; /bin/d \; e`,
			[]string{`ExecStart sh "/bin/a"`, `ExecStart sh "b ; c"`, `ExecStart sh "/bin/d ; e"`}},
		{"in a container", "ExecStart=/usr/bin/docker exec x bash -c 'ls'", []string{`ExecStart bash "ls"`}},
		{"env and busybox", "ExecStart=/usr/bin/env bash -c 'ls'\nExecStart=/bin/busybox sh -c ls", []string{`ExecStart bash "ls"`, `ExecStart sh "ls"`}},
		{"python", `ExecStart=/usr/bin/python3 -c "import os\nos.x()\x21"`, []string{`ExecStart python "import os\nos.x()!"`}},
		{"other settings", "[Unit]\nDescription=curl\n;ExecStart=a\n#ExecStart=b\nnothing", nil},
		{"broken", "ExecStart=/bin/sh -c 'a \\", []string{`ExecStart sh "a  "`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, inner := range Detect(scan.File("x.service", scan.Systemd, []byte(tt.unit))).Texts {
				got = append(got, fmt.Sprintf("%s %s %q", strings.Join(inner.Origin, " "), inner.Lang, inner.Body))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// What is put in for x is what the shell gets in its place.
func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, unit, text, want string }{
		{"single quotes", "ExecStart=sh -c 'a x b'", `"$(t)" % \`, `ExecStart=sh -c 'a "$$(t)" %% \\ b'`},
		{"a quote within", "ExecStart=sh -c 'a x b'", "'", ""},
		{"double quotes", `ExecStart=sh -c "a x b"`, `"$(t)" 'c'`, `ExecStart=sh -c "a \"$$(t)\" 'c' b"`},
		{"several lines", "ExecStart=sh -c 'a \\\n x b'", "c\nd", "ExecStart=sh -c 'a \\\n c\\nd b'"},
		{"no variables", "ExecStart=:sh -c 'a x b'", "$(t)", "ExecStart=:sh -c 'a $(t) b'"},
		{"no shell", "ExecStart=-/bin/a x \"b c\"", "\"$(t)\"", "ExecStart=-/bin/sh -c 'exec /bin/a \"$$(t)\" \"b c\"'"},
		{"no shell, and what one would read", "ExecStart=/bin/a x b&c", "y", ""},
		{"no shell, and another name", "ExecStart=@/bin/a x b", "y", ""},
		{"no shell, and a specifier", "ExecStart=/bin/a x %n", "y", ""},
		{"no quotes", "ExecStart=sh -c x", "y", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := scan.File("x.service", scan.Systemd, []byte(tt.unit))
			inner := Detect(file).Texts[0]
			i := strings.Index(inner.Body, "x")
			edits, err := inner.Edits(scan.Splice{At: scan.Span{Start: i, End: i + 1}, Text: tt.text})
			if err != nil {
				if tt.want != "" {
					t.Fatal(err)
				}
				return
			}
			got, err := edit.Apply(tt.unit, edits)
			if err != nil || got != tt.want {
				t.Fatalf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			again := Detect(scan.File("x.service", scan.Systemd, []byte(got))).Texts[0].Body
			if want := inner.Body[:i] + tt.text + inner.Body[i+1:]; strings.TrimPrefix(again, "exec ") != want {
				t.Errorf("read again as %q, want %q", again, want)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{"ExecStart=/bin/sh -c 'a \\\n# c\n b $$ %%'", `ExecStart=-sh -c "\x41 \" ${X}" ; b`, "Environment=A=b 'C=d e'\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file := scan.File("x.service", scan.Systemd, []byte(s))
		for _, inner := range Detect(file).Texts {
			at := inner.InFile(scan.Span{Start: 0, End: len(inner.Body)})
			if at.Start < 0 || at.End > len(s) || at.Start > at.End {
				t.Errorf("%q stands at %v", inner.Body, at)
			}
		}
	})
}
