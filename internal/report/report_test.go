package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/message"
)

func titled(s string) message.Text {
	return message.Text{message.English: s, message.Japanese: "日" + s}
}

func found(status Status, name, id string, evidence ...Field) Step {
	return Step{Name: name, Title: titled(name), Status: status, Finding: &Finding{ID: id, Evidence: evidence}}
}

func passed(name, fact string) Step {
	return Step{Name: name, Title: titled(name), Status: Passed, Facts: []Field{{Name: "fact", Value: fact, Phrase: "%s"}}, Elapsed: 12 * time.Millisecond}
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
	found(Warned, "keys", "TG3004", Field{Name: "origin", Value: "$AWS_ACCESS_KEY_ID"}),
	found(Failed, "token", "TG2003",
		Field{Name: "endpoint", Value: "http://169.254.169.254"}, Field{Name: "put", Value: "0 bytes"}, Field{Name: "instance_id", Value: "i-0a1b"}, Field{Name: "region", Value: "eu-west-1"}),
	{Name: "role", Title: titled("role"), Status: NotRun, Because: "TG2003"},
	{Name: "port", Title: titled("port"), Status: NotRun, Facts: []Field{{Name: "reason", Value: "processes can't be seen here", Phrase: "%s"}}},
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
	want := "every link that was looked at is in order (1000 ms)\n  ✓ token  21600 s\n  ✓ role   r\n"
	if s != want {
		t.Errorf("got\n%s, want\n%s", s, want)
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
		Field{Name: "role", Value: "x; rm -rf ~"}, Field{Name: "code", Value: "\x1b]0;owned\a"}, Field{Name: "message", Value: "right\u202eleft"})}}
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

// The keys are a promise: one may be added here and in the page, none may go.
func TestJSONKeys(t *testing.T) {
	r := broken
	r.Steps = slices.Clone(r.Steps)
	r.Steps[0].Facts = []Field{{Name: "a", Value: "b"}}
	var got any
	if err := json.Unmarshal([]byte(written(t, r.JSON)), &got); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	collect(keys, "", got)
	want := []string{
		"elapsed_ms", "healthy", "root", "started", "steps",
		"steps[].because", "steps[].elapsed_ms", "steps[].facts", "steps[].finding",
		"steps[].finding.cause", "steps[].finding.command", "steps[].finding.evidence", "steps[].finding.id",
		"steps[].finding.remedy", "steps[].finding.severity", "steps[].finding.similar", "steps[].finding.title", "steps[].finding.where",
		"steps[].name", "steps[].status", "steps[].title", "version",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(keys))); diff != "" {
		t.Error(diff)
	}
	page, err := os.ReadFile("../../docs/doctor-json.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range want {
		if !strings.Contains(string(page), "| `"+key+"` |") {
			t.Errorf("the page does not tell of %s", key)
		}
	}
}

// collect finds the paths of all keys, but not those of values by language,
// facts and evidence, whose names vary.
func collect(keys map[string]bool, path string, v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			collect(keys, path+"[]", e)
		}
	case map[string]any:
		if slices.Contains([]string{"title", "cause", "remedy", "facts", "evidence"}, path[strings.LastIndexByte(path, '.')+1:]) {
			return
		}
		for name, e := range v {
			p := strings.TrimPrefix(path+"."+name, ".")
			keys[p] = true
			collect(keys, p, e)
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

// Facts are for programs, unless they have words.
func TestTold(t *testing.T) {
	s := Step{Facts: []Field{
		{Name: "input_tokens", Value: "4", Phrase: "%s tokens in"}, {Name: "id", Value: "r-1"}, {Name: "agreement", Value: "AVAILABLE", Phrase: "granted"},
	}}
	for l, want := range map[message.Lang]string{message.English: "4 tokens in, granted", message.Japanese: "入力 4 トークン、許可済み"} {
		if got := s.Told(l); got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}

func TestSlowStepsAreTold(t *testing.T) {
	slow := passed("sts", "arn")
	slow.Elapsed = 1200 * time.Millisecond
	s := written(t, func(w io.Writer) error {
		return Report{Steps: []Step{slow, passed("role", "r")}}.Text(w, message.English)
	})
	if !strings.Contains(s, "arn (1200 ms)\n") || !strings.Contains(s, " r\n") {
		t.Errorf("got\n%s", s)
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		in   string
		n    int
		want []string
	}{
		{"", 4, []string{""}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 20, []string{"one two three"}},
		{"in arn:aws:iam::1:role/long here", 8, []string{"in", "arn:aws:iam::1:role/long", "here"}},
		{"日本語です", 4, []string{"日本", "語で", "す"}},
		{"日本。語", 4, []string{"日", "本。", "語"}},
		{"日本（語）", 6, []string{"日本", "（語）"}},
		{"TTL が切れる", 7, []string{"TTL が", "切れる"}},
	} {
		if diff := cmp.Diff(test.want, Wrap(test.in, test.n)); diff != "" {
			t.Errorf("Wrap(%q, %d): %s", test.in, test.n, diff)
		}
	}
}

// FuzzWrap: nothing but spaces gets lost, and what is too wide can't be
// broken.
func FuzzWrap(f *testing.F) {
	f.Add("one two  three", 5)
	f.Add("「日本語」の TTL、です。", 6)
	f.Fuzz(func(t *testing.T, s string, n int) {
		lines := Wrap(s, n)
		without := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if without(strings.Join(lines, "")) != without(s) {
			t.Errorf("Wrap(%q, %d) = %q", s, n, lines)
		}
		for _, l := range lines {
			if Columns(l) > n && len(pieces(strings.TrimSpace(l))) > 1 {
				t.Errorf("Wrap(%q, %d): %q is too wide", s, n, l)
			}
		}
	})
}

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"abc": 3, "日本": 4, "カー": 4, "ｶ": 1, "（x）": 5} {
		if got := Columns(s); got != want {
			t.Errorf("Columns(%q) = %d, want %d", s, got, want)
		}
	}
}

// The same thing is not said twice, but what a second check saw of it is.
func TestFindingsOfTheSameID(t *testing.T) {
	step := func(name string, status Status, id, host string) Step {
		return Step{Name: name, Status: status, Finding: &Finding{ID: id, Evidence: []Field{{Name: "host", Value: host}}}}
	}
	r := Report{Steps: []Step{
		step("keys", Warned, "TG3004", "other"),
		step("identity", Failed, "TG3004", "one"),
		step("list", Failed, "TG3004", "two"),
		step("same", Failed, "TG3004", "one"),
		step("token", Warned, "TG2016", "one"),
		{Name: "region", Status: Passed},
	}}
	var got []string
	for _, s := range r.Findings() {
		got = append(got, s.Name)
	}
	if diff := cmp.Diff([]string{"identity", "list", "token"}, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
