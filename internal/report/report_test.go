package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"tegata/internal/message"
)

func titled(s string) message.Text {
	return message.Text{message.English: s, message.Japanese: "日" + s}
}

func found(status Status, name, id string, evidence ...Field) Step {
	return Step{Name: name, Title: titled(name), Status: status, Finding: &Finding{ID: id, Evidence: evidence}}
}

func passed(name, fact string) Step {
	return Step{Name: name, Title: titled(name), Status: Passed, Facts: []Field{{"fact", fact}}, Elapsed: 12 * time.Millisecond}
}

func TestRoot(t *testing.T) {
	for _, test := range []struct {
		name  string
		steps []Step
		want  []string // ids in the order of Findings
	}{
		{"nothing", nil, nil},
		{"healthy", []Step{passed("a", "x"), {Name: "b", Status: NotRun}}, nil},
		{"one", []Step{passed("a", "x"), found(Failed, "b", "TG2003")}, []string{"TG2003"}},
		{"two", []Step{found(Failed, "a", "TG2004"), found(Failed, "b", "TG4002")}, []string{"TG2004", "TG4002"}},
		{"a warning before", []Step{found(Warned, "a", "TG3004"), found(Failed, "b", "TG6014")}, []string{"TG6014", "TG3004"}},
		{"warnings alone", []Step{passed("a", "x"), found(Warned, "b", "TG3004"), found(Warned, "c", "TG4001")}, []string{"TG3004", "TG4001"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Report{Steps: test.steps}
			var got []string
			for _, s := range r.Findings() {
				got = append(got, s.Finding.ID)
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Errorf("findings %v, want %v", got, test.want)
			}
			if r.Healthy() != (test.want == nil) {
				t.Errorf("healthy: %v", r.Healthy())
			}
		})
	}
}

var broken = Report{Elapsed: 2712 * time.Millisecond, Steps: []Step{
	found(Warned, "keys", "TG3004", Field{"origin", "$AWS_ACCESS_KEY_ID"}),
	found(Failed, "token", "TG2003",
		Field{"endpoint", "http://169.254.169.254"}, Field{"put", "0 bytes"}, Field{"instance_id", "i-0a1b"}, Field{"region", "eu-west-1"}),
	{Name: "role", Title: titled("role"), Status: NotRun, Because: "TG2003"},
	{Name: "port", Title: titled("port"), Status: NotRun, Facts: []Field{{"reason", "processes can't be seen here"}}},
	passed("region", "eu-west-1"),
}}

func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextOfABrokenSystem(t *testing.T) {
	for l, want := range map[message.Lang][]string{
		message.English: {
			"TG2003 error:", "with an administrator's credentials", "--instance-id i-0a1b ", "also found", "TG3004 warning:",
			"in order", "region", "not looked at", "not run because of TG2003", "processes can't be seen here",
		},
		message.Japanese: {
			"TG2003 エラー:", "管理者の認証情報", "--instance-id i-0a1b ", "ほかに見つかった問題", "TG3004 警告:",
			"正常", "日region", "未確認", "TG2003 のため実行していません", "プロセスを確認できません",
		},
	} {
		s := written(t, func(w io.Writer) error { return broken.Text(w, l) })
		at := 0
		for _, part := range want {
			i := strings.Index(s[at:], part)
			if i < 0 {
				t.Fatalf("%s: %q is missing, or out of order:\n%s", l, part, s)
			}
			at += i
		}
		if i := strings.Index(s, "TG"); s[i:i+6] != "TG2003" {
			t.Errorf("%s: the first id is %s", l, s[i:i+6])
		}
	}
}

func TestTextOfAHealthySystem(t *testing.T) {
	s := written(t, func(w io.Writer) error {
		return Report{Elapsed: time.Second, Steps: []Step{passed("token", "21600 s"), passed("role", "r")}}.Text(w, message.English)
	})
	if lines := strings.Split(strings.TrimSpace(s), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "21600 s") || !strings.Contains(lines[1], "12 ms") {
		t.Errorf("got\n%s", s)
	}
	if strings.Contains(s, "TG") {
		t.Errorf("an id in a healthy report:\n%s", s)
	}
}

// Colour is decoration: without it the same characters stand there.
func TestColor(t *testing.T) {
	plain := written(t, func(w io.Writer) error { return broken.Text(w, message.English) })
	colored := written(t, func(w io.Writer) error { return broken.ColorText(w, message.English) })
	if strings.Contains(plain, "\x1b") {
		t.Error("Text has colours")
	}
	stripped := colored
	for _, code := range []string{"0", bold, red, green, yellow} {
		stripped = strings.ReplaceAll(stripped, "\x1b["+code+"m", "")
	}
	if stripped != plain || stripped == colored {
		t.Errorf("coloured text differs in more than colour:\n%s", stripped)
	}
}

// What came over the wire may neither speak to the terminal nor reach a
// shell.
func TestHostileValues(t *testing.T) {
	r := Report{Steps: []Step{found(Failed, "role", "TG3002",
		Field{"role", "x; rm -rf ~"}, Field{"code", "\x1b]0;owned\a"}, Field{"message", "right\u202eleft"})}}
	s := written(t, func(w io.Writer) error { return r.Text(w, message.English) })
	if strings.ContainsAny(s, "\x1b\a\u202e") {
		t.Errorf("control characters were written: %q", s)
	}
	if command := r.Root().Words(message.English).Command; strings.Contains(command, "rm -rf") || !strings.Contains(command, "--role-name <role>") {
		t.Errorf("command %q", command)
	}
}

func TestJSON(t *testing.T) {
	for name, r := range map[string]Report{"broken": broken, "empty": {}} {
		var got struct {
			Version int
			Healthy bool
			Root    string
			Steps   []struct {
				Name, Status, Because string
				Finding               *struct {
					ID, Severity, Command, Where string
					Title                        map[string]string
					Evidence                     map[string]string
				}
			}
		}
		if err := json.Unmarshal([]byte(written(t, r.JSON)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Version != 1 || got.Healthy != r.Healthy() || len(got.Steps) != len(r.Steps) || got.Steps == nil {
			t.Errorf("%s: got %+v", name, got)
		}
		if name == "empty" {
			continue
		}
		f := got.Steps[1].Finding
		if got.Root != "TG2003" || f.ID != "TG2003" || f.Severity != "error" || f.Where != "admin" ||
			f.Title["ja"] == "" || f.Evidence["put"] != "0 bytes" || !strings.Contains(f.Command, "i-0a1b") {
			t.Errorf("got %+v", f)
		}
		if got.Steps[0].Finding.Severity != "warning" || got.Steps[2].Because != "TG2003" {
			t.Errorf("got %+v", got.Steps)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	if err := broken.Text(full{}, message.English); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"abc": 3, "日本": 4, "カー": 4, "ｶ": 1, "（x）": 5} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
	}
}
