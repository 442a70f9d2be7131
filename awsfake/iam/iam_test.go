package iam

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/wire"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

const (
	number = "123456789012"
	root   = "arn:aws:iam::123456789012:"
	trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	read   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}]}`
	all    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// An office is an account whose IAM is asked, by an administrator unless a
// test says otherwise.
type office struct {
	Service
	operations map[string]wire.Operation
	caller     wire.Caller
	may        policy.Document
	asked      []string // actions and resources that were decided over
}

func open(t testing.TB) *office {
	t.Helper()
	o := &office{Service: Service{State: new(State)}, operations: map[string]wire.Operation{}}
	for _, op := range o.Wire().Operations {
		if _, twice := o.operations[op.Name]; twice {
			t.Fatalf("operation %s is there twice", op.Name)
		}
		o.operations[op.Name] = op
	}
	o.caller = wire.Caller{ARN: "arn:aws:sts::123456789012:assumed-role/admin/s", Role: "admin"}
	o.may = parsed(t, all)
	return o
}

func parsed(t testing.TB, document string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ask runs an operation with parameters and values in turn.
func (o *office) ask(t testing.TB, operation string, parameters ...string) (string, error) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	c := &wire.Call{
		Call: fault.Call{Service: "iam", Operation: operation}, ID: "id", Account: number, Region: "us-east-1", Form: form,
		Protocol: wire.Query, Clock: func() time.Time { return noon },
		Request: httptest.NewRequest("POST", "/", nil).WithContext(t.Context()), Caller: o.caller,
		Keys: func(more map[string]string) map[string]string { return maps.Clone(more) },
	}
	c.Decide = func(r policy.Request, _ *policy.Named) error {
		o.asked = append(o.asked, r.Action+" "+r.Resource)
		if policy.Evaluate([]policy.Document{o.may}, r) == policy.Allow {
			return nil
		}
		return wire.Forbidden("AccessDenied", "not authorized to perform: "+r.Action+" on resource: "+r.Resource)
	}
	op, ok := o.operations[operation]
	if !ok {
		t.Fatalf("no operation %s", operation)
	}
	w := httptest.NewRecorder()
	err := op.Serve(w, c, new(sync.Mutex))
	return w.Body.String(), err
}

// must is ask for what has to work.
func (o *office) must(t testing.TB, operation string, parameters ...string) string {
	t.Helper()
	answer, err := o.ask(t, operation, parameters...)
	if err != nil {
		t.Fatalf("%s %v: %v", operation, parameters, err)
	}
	return answer
}

// element returns the text of the first element of a name, "" if there is none.
func element(answer, name string) string {
	_, rest, _ := strings.Cut(answer, "<"+name+">")
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}

// elements returns the texts of all elements of a name.
func elements(answer, name string) []string {
	var found []string
	d := xml.NewDecoder(strings.NewReader(answer))
	for {
		token, err := d.Token()
		if err != nil {
			return found
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			var text string
			if d.DecodeElement(&text, &start) == nil {
				found = append(found, text)
			}
		}
	}
}

// A step is one call of a table and how it ends: with an error, or with
// texts in its answer.
type step struct {
	call string // operation and parameters: "CreateUser UserName=ann"; a value may be @trust and the like
	want string // an error if it has a colon and a blank after its code, else a part of the answer
}

var documents = map[string]string{"@trust": trust, "@read": read, "@all": all}

// run does the steps one after the other.
func (o *office) run(t *testing.T, steps []step) {
	t.Helper()
	for _, st := range steps {
		words := strings.Split(st.call, " ")
		var parameters []string
		for _, word := range words[1:] {
			name, value, _ := strings.Cut(word, "=")
			if document, ok := documents[value]; ok {
				value = document
			}
			parameters = append(parameters, name, strings.ReplaceAll(value, "␠", " "))
		}
		got, err := o.ask(t, words[0], parameters...)
		switch {
		case err != nil && err.Error() != st.want:
			t.Errorf("%s\ngot  %v\nwant %s", st.call, err, st.want)
		case err == nil && !strings.Contains(got, st.want):
			t.Errorf("%s\ngot  %s\nwant %s", st.call, got, st.want)
		}
	}
}

// The state is the same after it was written to a file and read again.
func roundTrip(t *testing.T, s *State) {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again State
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, &again); diff != "" {
		t.Error(diff)
	}
}
