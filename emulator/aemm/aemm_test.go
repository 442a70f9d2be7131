package aemm_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"tegata/emulator"
	"tegata/emulator/aemm"
)

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func settings(t *testing.T, file string, subcommands ...string) aemm.Settings {
	t.Helper()
	c, err := aemm.Parse("aemm-config.json", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Settings(start, subcommands...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks an emulator of the settings, so long after its start.
func get(t *testing.T, s aemm.Settings, after time.Duration, path string) string {
	t.Helper()
	o := s.Options
	o.Now = func() time.Time { return start.Add(after) }
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://169.254.169.254/latest/"+path, nil))
	if w.Code != http.StatusOK {
		return http.StatusText(w.Code)
	}
	return w.Body.String()
}

func TestCategories(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, path, want string }{
		{"a default", `{}`, "meta-data/instance-id", "i-1234567890abcdef0"},
		{"a default of the tags", `{}`, "meta-data/tags/instance/Name", "test-instance"},
		{"a default of the user data", `{}`, "user-data", "1234,john,reboot,true\n"},
		{"a default name", `{}`, "meta-data/hostname", "ip-172-16-34-43.ec2.internal"},
		{"the role", `{}`, "meta-data/iam/security-credentials/", "baskinc-role"},
		{"another", `{"metadata": {"values": {"instance-type": "m7g.large"}}}`, "meta-data/instance-type", "m7g.large"},
		{"keys in any case", `{"Metadata": {"VALUES": {"Instance-Type": "m7g.large"}}}`, "meta-data/instance-type", "m7g.large"},
		{"a key with dots", `{"metadata.values.instance-type": "m7g.large"}`, "meta-data/instance-type", "m7g.large"},
		{"null says nothing", `{"metadata": {"values": {"instance-type": null, "iam-info": null}}}`, "meta-data/instance-type", "m4.xlarge"},
		{"a number for a text", `{"metadata": {"values": {"ami-launch-index": 3}}}`, "meta-data/ami-launch-index", "3"},
		{"the path moves with the mac", `{"metadata": {"values": {"mac": "0e:49:61:0f:c3:77"}}}`, "meta-data/network/interfaces/macs/0e:49:61:0f:c3:77/owner-id", "515336597381"},
		{"no public address", `{"metadata": {"values": {"public-ipv4": ""}}}`, "meta-data/public-ipv4", "Not Found"},
		{"a zone tells its region", `{"metadata": {"values": {"placement-availability-zone": "eu-west-1b"}}}`, "meta-data/placement/region", "eu-west-1"},
		{"a region tells its zone", `{"metadata": {"values": {"placement-region": "eu-west-1"}}}`, "meta-data/placement/availability-zone", "eu-west-1a"},
		{"a list", `{"dynamic": {"values": {"instance-identity-document": {"marketplaceProductCodes": ["a", "b"]}}}}`, "meta-data/product-codes", "a\nb"},
		{"monitoring", `{"dynamic": {"values": {"fws-instance-monitoring": "enabled"}}}`, "dynamic/fws/instance-monitoring", "enabled"},
		{"no role", `{"metadata": {"values": {"iam-security-credentials-role": ""}}}`, "meta-data/iam/info", "Not Found"},
		{"tokens", `{"imdsv2": true}`, "meta-data/instance-id", "Unauthorized"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := get(t, settings(t, tt.file), 0, tt.path); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	const (
		action    = "meta-data/spot/instance-action"
		rebalance = "meta-data/events/recommendations/rebalance"
		scheduled = "meta-data/events/maintenance/scheduled"
		lifecycle = "meta-data/autoscaling/target-lifecycle-state"
	)
	for _, tt := range []struct {
		name, file, subcommand string
		after                  time.Duration
		path, want             string
	}{
		{"before the delay", `{"mock-delay-sec": 5}`, "spot", 4 * time.Second, action, "Not Found"},
		{"after it", `{"mock-delay-sec": 5}`, "spot", 5 * time.Second, action, `{"action": "terminate", "time": "2026-05-01T12:02:05Z"}`},
		{"the trigger counts before the delay", `{"mock-delay-sec": 5, "mock-trigger-time": "2026-05-01T12:01:00Z"}`, "spot", 59 * time.Second, action, "Not Found"},
		{"the file's action and time", `{"spot": {"action": "stop", "time": "2030-01-07T01:03:47Z"}}`, "spot", 0, action, `{"action": "stop", "time": "2030-01-07T01:03:47Z"}`},
		{"another subcommand", `{}`, "events", 0, action, "Not Found"},
		{"rebalance with spot", `{"rebalance-delay-sec": "60"}`, "spot", time.Minute, rebalance, `{"noticeTime": "2026-05-01T12:01:00Z"}`},
		{"rebalance before its trigger", `{"rebalance-trigger-time": "2026-05-01T13:00:00Z"}`, "spot", time.Minute, rebalance, "Not Found"},
		{"in service", `{"asg-termination-delay-sec": 9}`, "asglifecycle", 8 * time.Second, lifecycle, "InService"},
		{"terminated", `{"asg-termination-delay-sec": 9}`, "asglifecycle", 9 * time.Second, lifecycle, "Terminated"},
		{"no maintenance yet", `{"mock-delay-sec": 5}`, "events", 0, scheduled, "[]"},
		{"maintenance", `{"events": {"code": "instance-stop", "not-before": "2026-05-02T00:00:00Z"}}`, "events", 0, scheduled, `[
  {
    "NotBefore" : "2 May 2026 00:00:00 GMT",
    "Code" : "instance-stop",
    "Description" : "scheduled stop",
    "EventId" : "instance-event-1234567890abcdef0",
    "NotAfter" : "9 May 2026 00:00:00 GMT",
    "NotBeforeDeadline" : "11 May 2026 00:00:00 GMT",
    "State" : "active"
  }
]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := get(t, settings(t, tt.file, tt.subcommand), tt.after, tt.path); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.path, got, tt.want)
			}
		})
	}
	if all := settings(t, `{}`).Options.Events; all.Spot == nil || all.Maintenance == nil || all.Lifecycle == nil {
		t.Errorf("without a subcommand: %+v, want all of them", all)
	}
}

var refused = []struct{ name, file, want string }{
	{"no JSON", `{`, "read f: unexpected EOF"},
	{"two objects", `{} {}`, "read f: something follows the object"},
	{"a near miss", `{"mock-delay-secs": 5}`, `read f: unknown key "mock-delay-secs": did you mean mock-delay-sec?`},
	{"another level", `{"port": 80}`, `read f: unknown key "port": did you mean server.port?`},
	{"nothing like it", `{"zzzzzzzz": {"a": 1}}`, `read f: unknown key "zzzzzzzz.a"`},
	{"a category", `{"metadata": {"values": {"instnce-id": "i-1"}}}`, `read f: unknown key "metadata.values.instnce-id": did you mean metadata.values.instance-id?`},
	{"twice", `{"imdsv2": true, "IMDSv2": false}`, "read f: imdsv2 stands there twice"},
	{"an action", `{"spot": {"action": "sleep"}}`, `read f: spot.action: "sleep": want terminate, stop, hibernate`},
	{"a time", `{"mock-trigger-time": "soon"}`, `read f: mock-trigger-time: "soon": want a time such as 2020-01-07T01:03:47Z`},
	{"a delay", `{"mock-delay-sec": -1}`, `read f: mock-delay-sec: "-1": want seconds, 0 to 315360000`},
	{"a port", `{"server": {"port": "http"}}`, `read f: server.port: "http": want a port, 0 to 65535`},
	{"user data", `{"userdata": {"values": {"userdata": "#!"}}}`, "read f: userdata.values.userdata: want base64: illegal base64 data at input byte 0"},
	{"a list of lists", `{"metadata": {"values": {"product-codes": [[]]}}}`, "read f: metadata.values.product-codes: want a list of texts"},
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := aemm.Parse("f", []byte(tt.file)); err == nil || err.Error() != tt.want {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"nothing left out", `{"server": {"port": 80}, "save-config-to-file": false, "metadata": {"values": {"instance-action": "none"}}}`, nil},
		{"of one reason", `{"metadata": {"paths": {"ami-id": "/a", "events": "/b"}}}`,
			[]string{"metadata.paths.ami-id, metadata.paths.events: every category stays at its own path"}},
		{"a short account", `{"dynamic": {"values": {"instance-identity-document": {"accountId": "0123456789"}}}}`,
			[]string{`account "0123456789" is left out: an account has twelve digits`}},
		{"one field, two values", `{"metadata": {"values": {"mac": "0e:49:61:0f:c3:77", "mac-mac": "0e:49:61:0f:c3:78"}}}`,
			[]string{"metadata.values.mac and metadata.values.mac-mac differ: the emulator serves that of metadata.values.mac-mac"}},
		{"no key is repeated", `{"metadata": {"values": {"iam-security-credentials": {"SecretAccessKey": "hush", "Code": "Success"}}}}`,
			[]string{"metadata.values.iam-security-credentials.secretaccesskey: the emulator makes its own keys and times"}},
		{"the example of the mock's guide", `{"spot-itn": {"time": "2020-01-07T01:03:47Z"}}`,
			[]string{"spot-itn.time: later releases of the mock ignore it; say spot.action, spot.time"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := settings(t, tt.file).Warnings; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestSavedConfig reads what the mock writes with -s.
func TestSavedConfig(t *testing.T) {
	t.Parallel()
	saved, err := os.ReadFile("testdata/saved.json")
	if err != nil {
		t.Fatal(err)
	}
	s := settings(t, string(saved))
	if got := s.Hostname + ":" + s.Port; got != "localhost:1338" {
		t.Errorf("listens at %s, want localhost:1338", got)
	}
	if got := get(t, s, 0, "meta-data/public-ipv4"); got != "54.92.157.77" {
		t.Errorf("public address %s, want 54.92.157.77", got)
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	c, err := aemm.Parse("f", []byte(`{"spot": {"action": "stop"}, "mock-delay-sec": 3}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set(aemm.Variable("AEMM_SPOT_ACTION"), "hibernate"); err != nil {
		t.Fatal(err)
	}
	if err := c.Set(aemm.FlagKey("spot", "mock-delay-sec"), "x"); err == nil {
		t.Error("a delay of x is taken")
	}
	s, err := c.Settings(start, aemm.Spot)
	if err != nil {
		t.Fatal(err)
	}
	want := emulator.SpotInterruption{Action: "hibernate", Time: start.Add(123 * time.Second), Notice: start.Add(3 * time.Second)}
	if *s.Options.Events.Spot != want {
		t.Errorf("%+v, want %+v", *s.Options.Events.Spot, want)
	}
	if _, err := c.Settings(start, "sptt"); err == nil || !strings.Contains(err.Error(), "asglifecycle") {
		t.Errorf("an unknown subcommand: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{aemm.Variable("AEMM_MOCK_DELAY_SEC"), "mock-delay-sec"},
		{aemm.Variable("AEMM_METADATA_VALUES_PUBLIC_IPV4"), "metadata.values.public-ipv4"},
		{aemm.Variable("AEMM_NONE"), ""},
		{aemm.Variable("MOCK_DELAY_SEC"), ""},
		{aemm.FlagKey("spot", "time"), "spot.time"},
		{aemm.FlagKey("events", "port"), "server.port"},
		{aemm.FlagKey("", "imdsv2"), "imdsv2"},
		{aemm.FlagKey("events", "action"), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// FuzzParse: what is taken gives settings, the same each time, and the
// emulator starts with them or says why not.
func FuzzParse(f *testing.F) {
	for _, tt := range refused {
		f.Add([]byte(tt.file))
	}
	saved, err := os.ReadFile("testdata/saved.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(saved)
	f.Add([]byte(`{"metadata": {"values": {"placement-availability-zone": "b", "mac": "", "public-key": " "}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := aemm.Parse("f", data)
		if err != nil {
			return
		}
		one, err := c.Settings(start)
		if err != nil {
			t.Fatalf("taken, but: %v", err)
		}
		if two, _ := c.Settings(start); !reflect.DeepEqual(one, two) {
			t.Fatalf("%+v, then %+v", one, two)
		}
		one.Options.Now = func() time.Time { return start }
		if server, err := emulator.New(one.Options); (server == nil) == (err == nil) {
			t.Fatalf("server %v, error %v", server, err)
		}
	})
}
