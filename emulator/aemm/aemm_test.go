package aemm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/aemm"
)

var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

var configs = []struct {
	name, data string
	want       aemm.Config
	err        string
}{
	{"nothing", `{}`, aemm.Config{Options: emulator.Options{Tokens: "optional"}}, ""},
	{"v2 and the server", `{"imdsv2":true,"server":{"hostname":"127.0.0.1","port":"1550"},"save-config-to-file":true}`,
		aemm.Config{Options: emulator.Options{Tokens: "required"}, Hostname: "127.0.0.1", Port: "1550", Ignored: []string{"save-config-to-file"}}, ""},
	{"values", `{"metadata":{"paths":{"mac":"/x"},"values":{"mac":"0e:49:61:0f:c3:77","public-ipv4":"54.92.157.77","unheard":1}}}`,
		aemm.Config{
			Options: emulator.Options{Tokens: "optional", Instance: emulator.Instance{MAC: "0e:49:61:0f:c3:77", PublicIP: "54.92.157.77"}},
			Ignored: []string{"metadata.paths.mac", "metadata.values.unheard"},
		}, ""},
	{"tags, role and user data", `{"metadata":{"values":{"tags-instance":{"Name":"n"},"iam-security-credentials-role":"r"}},"userdata":{"values":{"userdata":"aGk="}}}`,
		aemm.Config{Options: emulator.Options{Tokens: "optional", Tags: true, Role: &emulator.Role{Name: "r"},
			Instance: emulator.Instance{Tags: map[string]string{"Name": "n"}, UserData: "hi"}}}, ""},
	{"spot", `{"mock-delay-sec":5,"spot":{"instance-action":"stop"}}`,
		aemm.Config{Options: emulator.Options{Tokens: "optional", Events: emulator.Events{
			Spot:      &emulator.SpotInterruption{Action: "stop", Time: start.Add(125 * time.Second), Notice: start.Add(5 * time.Second)},
			Rebalance: start.Add(5 * time.Second),
		}}}, ""},
	{"event", `{"events":{"code":"instance-stop","not-after":"2030-02-01T00:00:00Z"}}`,
		aemm.Config{Options: emulator.Options{Tokens: "optional", Events: emulator.Events{Maintenance: []emulator.Maintenance{{
			Code: "instance-stop", State: "active", Notice: start, NotBefore: start,
			NotAfter: time.Date(2030, 2, 1, 0, 0, 0, 0, time.UTC), NotBeforeDeadline: start.Add(9 * 24 * time.Hour),
		}}}}}, ""},
	{"no JSON", `imdsv2: true`, aemm.Config{}, "read the configuration"},
	{"unknown key", `{"imds-v2":true}`, aemm.Config{}, `unknown key "imds-v2" (at the top are known: imdsv2`},
	{"unknown key below", `{"server":{"prot":"1"}}`, aemm.Config{}, `unknown key "prot"`},
	{"bad time", `{"spot":{"termination-time":"soon"}}`, aemm.Config{}, `spot.termination-time "soon": want a time`},
	{"negative delay", `{"mock-delay-sec":-1}`, aemm.Config{}, "mock-delay-sec -1"},
	{"value of another kind", `{"metadata":{"values":{"mac":7}}}`, aemm.Config{}, "metadata.values.mac: want text, not 7"},
	{"user data", `{"userdata":{"values":{"userdata":"%"}}}`, aemm.Config{}, "userdata.values.userdata"},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range configs {
		got, err := aemm.Parse([]byte(test.data), start)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: got error %v, want %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Now" || p.Last().String() == ".OnRequest" }, cmp.Ignore())
		if diff := cmp.Diff(test.want, got, ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// FuzzParse: whatever is read says which tokens are wanted, and an error comes
// with nothing.
func FuzzParse(f *testing.F) {
	for _, test := range configs {
		f.Add([]byte(test.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := aemm.Parse(data, start)
		if err != nil {
			if c.Options.Tokens != "" || c.Ignored != nil {
				t.Errorf("%v, and yet %+v", err, c)
			}
			return
		}
		if c.Options.Tokens == "" {
			t.Errorf("no policy for tokens in %+v", c)
		}
	})
}
