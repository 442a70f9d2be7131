package sandbox

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/internal/fault"
)

func TestDefaultTravelsAsJSON(t *testing.T) {
	s := parse(t, `
replies:
  - match: {service: imds}
    reply: {status: 500, body: "x", drip: 10B/s, delay: 2s, truncate: 4}
environment: {AWS_REGION: null}
instance: {interfaces: [{private_ips: [10.0.2.10], public_ips: {203.0.113.5: 10.0.2.10}}]}
events: {spot: {in: 5m, action: stop}, rebalance: {at: 2026-07-30}, maintenance: [{code: system-reboot, in: 1h}]}
`)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got Scenario
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	// Marshal compacts raw JSON, so compare what the texts say.
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(data), string(again)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(s.Replies, got.Replies); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(s.Events, got.Events); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(s.Instance, got.Instance); diff != "" {
		t.Error(diff)
	}
	if v, ok := got.Environment["AWS_REGION"]; !ok || v != nil {
		t.Errorf("AWS_REGION is %v, %v; want it to be unset", v, ok)
	}
}

func TestParseSaysOnlyWhatDiffers(t *testing.T) {
	for _, yaml := range []string{"", "# nothing\n", "---\n", "\ufeff# nothing\n", "{}"} {
		got, err := Parse("s.yaml", []byte(yaml))
		if err != nil {
			t.Errorf("%q: %v", yaml, err)
		}
		if diff := cmp.Diff(Default(), got); diff != "" {
			t.Errorf("%q: %s", yaml, diff)
		}
	}
}

func TestOverlay(t *testing.T) {
	yes := true
	text := func(s string) *string { return &s }
	tests := []struct {
		name, yaml string
		change     func(*Scenario)
	}{
		{"scalar", "instance: {region: eu-west-1}", func(s *Scenario) { s.Instance.Region = "eu-west-1" }},
		{"text keeps its form", "instance: {account: 012345678901, tags: {v: 1.10, on: true}}", func(s *Scenario) {
			s.Instance.Account = "012345678901"
			s.Instance.Tags["v"] = "1.10"
			s.Instance.Tags["on"] = "true"
		}},
		{"null clears a value", "instance: {mac: 06:00:00:00:00:01, user_data: null}", func(s *Scenario) { s.Instance.MAC = "06:00:00:00:00:01" }},
		{"null takes an entry away", "instance: {tags: {Name: null}}", func(s *Scenario) { delete(s.Instance.Tags, "Name") }},
		{"null unsets a variable", "environment: {AWS_REGION: ~, A: 8080}", func(s *Scenario) {
			s.Environment["AWS_REGION"] = nil
			s.Environment["A"] = text("8080")
		}},
		{"map of sections", "parameters: {/bedrock-ui/system-prompt: {type: SecureString}, /x: {value: y}}", func(s *Scenario) {
			s.Parameters["/bedrock-ui/system-prompt"] = Parameter{Value: "You are a helpful assistant.", Type: "SecureString"}
			s.Parameters["/x"] = Parameter{Value: "y"}
		}},
		{"times", "clock_skew: -10m\nrole: {lifetime: 90s}", func(s *Scenario) {
			s.ClockSkew = -10 * time.Minute
			s.Role.Lifetime = 90 * time.Second
		}},
		{"document as JSON", "role:\n  trust: |\n    {\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\"}}\n", func(s *Scenario) {
			s.Role.Trust = json.RawMessage("{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\"}}\n")
		}},
		{"document in the flow of YAML", "role:\n  policies:\n    bedrock-ui-parameters: null\n    x: {\n\t\"Version\": \"2012-10-17\",\n\t\"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\"}]\n    }\n", func(s *Scenario) {
			delete(s.Role.Policies, "bedrock-ui-parameters")
			s.Role.Policies["x"] = json.RawMessage(`{"Statement":[{"Action":"*","Effect":"Deny","Resource":"*"}],"Version":"2012-10-17"}`)
		}},
		{"models", "bedrock:\n  models:\n    - id: a.b\n      streaming: true\n      inference_types: [ON_DEMAND]\n      lifecycle: {status: LEGACY, end_of_life: 2026-07-30}\n", func(s *Scenario) {
			s.Bedrock.Models = []Model{{ID: "a.b", Streaming: &yes, InferenceTypes: []string{"ON_DEMAND"},
				Lifecycle: Lifecycle{Status: "LEGACY", EndOfLife: time.Date(2026, 7, 30, 0, 0, 0, 0, time.UTC)}}}
		}},
		{"null takes an event away", "events: {spot: null}", func(s *Scenario) {}},
		{"events", "events: {spot: {in: 5m, action: stop}, rebalance: {}, lifecycle: [{state: InService}], maintenance: [{code: system-reboot, at: 2026-07-30T12:00:00Z, for: 2h}]}", func(s *Scenario) {
			s.Events = Events{
				Spot: &Spot{When: When{In: 5 * time.Minute}, Action: "stop"}, Rebalance: &When{}, Lifecycle: []State{{State: "InService"}},
				Maintenance: []Maintenance{{When: When{At: time.Date(2026, 7, 30, 12, 0, 0, 0, time.UTC)}, Code: "system-reboot", For: 2 * time.Hour}},
			}
		}},
		{"interfaces", "instance: {interfaces: [{private_ips: [10.0.2.10], public_ips: {203.0.113.5: 10.0.2.10}, card: 1}]}", func(s *Scenario) {
			s.Instance.Interfaces = []emulator.Interface{{PrivateIPs: []string{"10.0.2.10"}, PublicIPs: map[string]string{"203.0.113.5": "10.0.2.10"}, Card: 1}}
		}},
		{"throttle", "imds: {throttle: {per_second: 5, burst: 10, status: 503}, profile: legacy, bridged: true}", func(s *Scenario) {
			s.IMDS.Throttle = Throttle{PerSecond: 5, Burst: 10, Status: 503}
			s.IMDS.Profile, s.IMDS.Bridged = "legacy", true
		}},
		{"replies", "replies:\n  - match: {service: imds, times: 2}\n    reply: {drip: 10B/s, truncate: 40}\n", func(s *Scenario) {
			n := 40
			s.Replies = []fault.Rule{{Match: fault.Match{Service: "imds", Times: 2}, Reply: fault.Reply{Drip: 10, Truncate: &n}}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := Default()
			tt.change(&want)
			if diff := cmp.Diff(want, parse(t, tt.yaml)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOverlayOverOverlay(t *testing.T) {
	below := parse(t, `
bedrock:
  models:
    - {id: a, name: A, inference_types: [ON_DEMAND, INFERENCE_PROFILE]}
    - {id: b, name: B}
  access: {a: denied}
replies:
  - {match: {path: /1}, reply: {hang: true}}
files: {a: "1"}
`)
	before, _ := json.Marshal(below)
	got := below
	if err := got.read("above.yaml", []byte(`
bedrock:
  models:
    - {id: a, inference_types: [ON_DEMAND]}
    - {id: c}
  access: {b: form}
replies:
  - {match: {path: /2}, reply: {reset: true}}
  - {match: {path: /3}, reply: {reset: true}}
files: {b: "2"}
`), &got); err != nil {
		t.Fatal(err)
	}
	want := below
	want.Bedrock = Bedrock{
		Models: []Model{{ID: "a", Name: "A", InferenceTypes: []string{"ON_DEMAND"}}, {ID: "b", Name: "B"}, {ID: "c"}},
		Access: map[string]string{"a": "denied", "b": "form"},
	}
	want.Replies = []fault.Rule{
		{Match: fault.Match{Path: "/2"}, Reply: fault.Reply{Reset: true}},
		{Match: fault.Match{Path: "/3"}, Reply: fault.Reply{Reset: true}},
		{Match: fault.Match{Path: "/1"}, Reply: fault.Reply{Hang: true}},
	}
	want.Files = map[string]string{"a": "1", "b": "2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if after, _ := json.Marshal(below); string(after) != string(before) {
		t.Errorf("the scenario below was written to:\n%s\n%s", before, after)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"unknown section", "imdsx: {}", `s.yaml:1:1: unknown key "imdsx" (did you mean "imds"?)`},
		{"unknown key", "imds:\n  tokens: optional\n  hoplimit: 1\n", `s.yaml:3:3: unknown key "imds.hoplimit" (did you mean "hop_limit"?)`},
		{"key like no other", "imds: {colour: red}", `s.yaml:1:8: unknown key "imds.colour" (known: bridged, endpoint, hop_limit, hops, ipv6, keep_alive, listen, profile, tags, throttle, tokens)`},
		{"key of a list element", "replies:\n  - match: {servce: imds}\n", `s.yaml:2:13: unknown key "replies[0].match.servce" (did you mean "service"?)`},
		{"key of a fault file", "finding: TG2004", `s.yaml:1:1: unknown key "finding" (known: bedrock, clock_skew, delays, environment, events, files, iam, imds, instance, parameters, replies, role)`},
		{"no mapping", "- imds\n", `s.yaml:1:1: want a mapping, found a list`},
		{"text for a section", "imds: required", `s.yaml:1:7: imds: want a mapping, found "required"`},
		{"empty section", "role:\nimds: {}\n", `s.yaml:1:6: role: is empty; leave the key out or give it a value`},
		{"mapping for a list", "replies: {}", `s.yaml:1:10: replies: want a list, found a mapping`},
		{"number", "imds: {hop_limit: two}", `s.yaml:1:19: imds.hop_limit: want a whole number, found "two"`},
		{"fraction", "imds: {hop_limit: 1.5}", `s.yaml:1:19: imds.hop_limit: want a whole number, found "1.5"`},
		{"bool", "role: {attached: no}", `s.yaml:1:18: role.attached: want true or false, found "no"`},
		{"duration", "clock_skew: 10", `s.yaml:1:13: clock_skew: want a time such as 90s or 6h, found "10"`},
		{"date", "bedrock: {models: [{id: a, lifecycle: {legacy: soon}}]}", `s.yaml:1:48: bedrock.models[0].lifecycle.legacy: want a date such as 2026-07-30, found "soon"`},
		{"rate", "replies: [{reply: {drip: 10}}]", `s.yaml:1:26: replies[0].reply.drip: want a speed such as 10B/s, found "10"`},
		{"list for text", "instance: {id: [i-1]}", `s.yaml:1:16: instance.id: want text, found a list`},
		{"document that is no JSON", "role: {trust: nobody}", `s.yaml:1:15: role.trust: want a JSON or YAML document, found text that is no JSON`},
		{"model without id", "bedrock:\n  models:\n    - name: X\n", `s.yaml:3:7: bedrock.models[0]: needs an id`},
		{"alias", "instance: &i {}\nimds: *i\n", `s.yaml:1:11: instance: want a mapping, found an anchor, alias or tag, which is not supported`},
		{"merge", "<<: {}", `s.yaml:1:1: want a plain word as a key, found a merge (<<), which is not supported`},
		{"second document", "{}\n---\nimds: {}\n", `s.yaml:3:1: a second document: the file may hold one only`},
		{"key twice", "imds: {}\nimds: {}\n", `s.yaml:2:1: mapping key "imds" already defined at [1:1]`},
		{"syntax", "imds: [", `s.yaml:1:7: sequence end token ']' not found`},

		{"instance id", "instance: {id: web-1}", `s.yaml:1:16: instance.id: "web-1" does not look like i-0a1b2c3d4e5f60718`},
		{"region", "instance: {region: ap}", `s.yaml:1:20: instance.region: "ap" does not look like ap-northeast-1`},
		{"zone of another region", "instance:\n  region: eu-west-1\n  zone: ap-northeast-1a\n", `s.yaml:3:9: instance.zone: "ap-northeast-1a" is not in the region eu-west-1`},
		{"account", "instance: {account: 1234}", `s.yaml:1:21: instance.account: "1234" does not look like 123456789012`},
		{"address", "instance: {private_ip: 10.0.0}", `s.yaml:1:24: instance.private_ip: "10.0.0" is no IPv4 address`},
		{"IPv6 address", "instance: {ipv6: 10.0.0.1}", `s.yaml:1:18: instance.ipv6: "10.0.0.1" is no IPv6 address`},
		{"mac", "instance: {mac: 06}", `s.yaml:1:17: instance.mac: "06" is no MAC address`},
		{"tag key", "instance:\n  tags:\n    my tag: x\nimds: {tags: true}\n", `s.yaml:3:13: instance.tags.my tag: "my tag" does not look like cost-center (imds.tags is on)`},
		{"reserved tag key", "instance: {tags: {_index: x}}\nimds: {tags: true}\n", `s.yaml:1:27: instance.tags._index: EC2 keeps this key for itself`},
		{"user data", "instance: {user_data: " + strings.Repeat("x", 16385) + "}", `s.yaml:1:23: instance.user_data: has 16385 bytes; EC2 takes 16384 at most`},
		{"hop limit", "imds:\n  hop_limit: 65\n", `s.yaml:2:14: imds.hop_limit: 65 is not within 1 to 64`},
		{"hops", "imds: {hops: -1}", `s.yaml:1:14: imds.hops: -1 is negative`},
		{"tokens", "imds: {tokens: always}", `s.yaml:1:16: imds.tokens: "always" is not one of required, optional`},
		{"listen", "imds: {listen: null}", `s.yaml:1:16: imds.listen: "" is not one of accept, refuse`},
		{"lifetime", "role: {lifetime: 0s}", `s.yaml:1:18: role.lifetime: 0s is no time to live`},
		{"system", "instance: {system: kvm}", `s.yaml:1:20: instance.system: "kvm" is not one of nitro, xen, xen-on-nitro`},
		{"launch index", "instance: {launch_index: -1}", `s.yaml:1:26: instance.launch_index: -1 is negative`},
		{"partition", "instance: {partition: -1}", `s.yaml:1:23: instance.partition: -1 is negative`},
		{"block device", "instance: {block_devices: {sdb: ebs1}}", `s.yaml:1:33: instance.block_devices.sdb: "sdb" does not look like ebs1, ephemeral0, swap, ami or root`},
		{"accelerator", "instance: {accelerators: {a/b: x}}", `s.yaml:1:32: instance.accelerators.a/b: "a/b" does not look like eia-0a1b2c3d4e5f60718`},
		{"interface", "instance: {interfaces: [{mac: 06:00}]}", `s.yaml:1:31: instance.interfaces[0].mac: "06:00" is no MAC address`},
		{"interface address", "instance: {interfaces: [{}, {private_ips: [10.0.1.1, \"::1\"]}]}", `s.yaml:1:54: instance.interfaces[1].private_ips[1]: "::1" is no IPv4 address`},
		{"interface prefix", "instance: {interfaces: [{ipv6_prefixes: [10.0.0.0/28]}]}", `s.yaml:1:42: instance.interfaces[0].ipv6_prefixes[0]: "10.0.0.0/28" does not look like 2001:db8::/64`},
		{"interface public address", "instance: {interfaces: [{public_ips: {203.0.113.5: web}}]}", `s.yaml:1:52: instance.interfaces[0].public_ips.203.0.113.5: "web" is no IPv4 address`},
		{"interface device", "instance: {interfaces: [{device: -1}]}", `s.yaml:1:34: instance.interfaces[0].device: -1 is negative`},
		{"interface card", "instance: {interfaces: [{card: -1}]}", `s.yaml:1:32: instance.interfaces[0].card: -1 is negative`},
		{"interface key", "instance: {interfaces: [{private_ip: 10.0.0.1}]}", `s.yaml:1:26: unknown key "instance.interfaces[0].private_ip" (did you mean "private_ips"?)`},
		{"same interface twice", "instance: {interfaces: [{device: 2}, {}]}", `s.yaml:1:24: instance.interfaces: two interfaces have the device 2 of card 0`},
		{"profile", "imds: {profile: old}", `s.yaml:1:17: imds.profile: "old" is not one of nitro, legacy`},
		{"throttle", "imds: {throttle: {per_second: -1}}", `s.yaml:1:31: imds.throttle.per_second: -1 is negative`},
		{"throttle burst", "imds: {throttle: {burst: -1}}", `s.yaml:1:26: imds.throttle.burst: -1 is negative`},
		{"throttle status", "imds: {throttle: {status: 500}}", `s.yaml:1:27: imds.throttle.status: 500 is not one of 429, 503`},
		{"spot action", "events: {spot: {action: reboot}}", `s.yaml:1:25: events.spot.action: "reboot" is not one of terminate, stop, hibernate`},
		{"spot notice", "events: {spot: {notice: -1s}}", `s.yaml:1:25: events.spot.notice: -1s is negative`},
		{"spot twice", "events: {spot: {in: 5m, at: 2026-07-30}}", `s.yaml:1:16: events.spot: in and at exclude each other`},
		{"rebalance twice", "events: {rebalance: {in: 5m, at: 2026-07-30}}", `s.yaml:1:21: events.rebalance: in and at exclude each other`},
		{"rebalance time", "events: {rebalance: {at: noon}}", `s.yaml:1:26: events.rebalance.at: want a date such as 2026-07-30, found "noon"`},
		{"lifecycle state", "events: {lifecycle: [{state: Dead}]}", `s.yaml:1:30: events.lifecycle[0].state: "Dead" is not one of Detached, InService, Standby, Terminated, Warmed:Hibernated, Warmed:Running, Warmed:Stopped, Warmed:Terminated`},
		{"maintenance code", "events: {maintenance: [{code: reboot}]}", `s.yaml:1:31: events.maintenance[0].code: "reboot" is not one of instance-reboot, system-reboot, system-maintenance, instance-retirement, instance-stop`},
		{"maintenance state", "events: {maintenance: [{code: system-reboot, state: done}]}", `s.yaml:1:53: events.maintenance[0].state: "done" is not one of active, completed, canceled`},
		{"maintenance length", "events: {maintenance: [{code: system-reboot, for: -1h}]}", `s.yaml:1:51: events.maintenance[0].for: -1h0m0s is negative`},
		{"key of a user", "iam: {users: {ann: {keys: {AKIA1: {secret: s}}}}}", `s.yaml:1:35: iam.users.ann.keys.AKIA1: "AKIA1" does not look like AKIAIOSFODNN7EXAMPLE`},
		{"key without a secret", "iam: {users: {ann: {keys: {AKIAIOSFODNN7EXAMPLE: {}}}}}", `s.yaml:1:50: iam.users.ann.keys.AKIAIOSFODNN7EXAMPLE.secret: is missing`},
		{"status of a key", "iam: {users: {ann: {keys: {AKIAIOSFODNN7EXAMPLE: {secret: s, status: off}}}}}", `s.yaml:1:70: iam.users.ann.keys.AKIAIOSFODNN7EXAMPLE.status: "off" is not one of active, inactive`},
		{"session without a token", "iam: {users: {ann: {sessions: {ASIAIOSFODNN7EXAMPLE: {secret: s}}}}}", `s.yaml:1:54: iam.users.ann.sessions.ASIAIOSFODNN7EXAMPLE.token: is missing`},
		{"user name", "iam: {users: {a b: {}}}", `s.yaml:1:20: iam.users.a b: "a b" does not look like deploy`},
		{"policy of a user", "iam: {users: {ann: {policies: {p: {}}}}}", `s.yaml:1:35: iam.users.ann.policies.p: policy: no statement`},
		{"the role of the instance again", "iam: {roles: {bedrock-ui-ec2-role: {}}}", `s.yaml:1:36: iam.roles.bedrock-ui-ec2-role: is the role of the instance, which stands under role`},
		{"profile without its role", "iam: {profiles: {web: {role: web}}}", `s.yaml:1:30: iam.profiles.web.role: there is no role "web"`},
		{"the profile of the instance again", "iam: {profiles: {bedrock-ui-ec2-role: {}}}", `s.yaml:1:39: iam.profiles.bedrock-ui-ec2-role: is the profile of the instance, which stands under role`},
		{"role name", "role: {name: my role}", `s.yaml:1:14: role.name: "my role" does not look like bedrock-ui-ec2-role`},
		{"credentials", "role: {credentials: stale}", `s.yaml:1:21: role.credentials: "stale" is not one of valid, expired`},
		{"access", "bedrock: {access: {a.b: no}}", `s.yaml:1:25: bedrock.access.a.b: "no" is not one of granted, denied, form, subscription, inactive`},
		{"quota pattern", "bedrock: {quotas: {\"[\": {tokens: 1}}}", `s.yaml:1:25: bedrock.quotas.[: is no pattern: syntax error in pattern`},
		{"quota", "bedrock: {quotas: {a.b: {tokens: -1}}}", `s.yaml:1:34: bedrock.quotas.a.b.tokens: is less than zero`},
		{"access pattern", "bedrock: {access: {\"[\": form}}", `s.yaml:1:25: bedrock.access.[: is no pattern: syntax error in pattern`},
		{"pace", "bedrock: {pace: -1s}", `s.yaml:1:17: bedrock.pace: -1s is negative`},
		{"inference type", "bedrock: {models: [{id: a, inference_types: [BATCH]}]}", `s.yaml:1:46: bedrock.models[a].inference_types[0]: "BATCH" is not one of ON_DEMAND, INFERENCE_PROFILE, PROVISIONED`},
		{"parameter type", "parameters: {/a: {type: Secret}}", `s.yaml:1:25: parameters./a.type: "Secret" is not one of String, StringList, SecureString`},
		{"variable", "environment: {A=B: x}", `s.yaml:1:20: environment.A=B: is no name of a variable`},
		{"file outside", "files: {../x: y}", `s.yaml:1:15: files.../x: a path must lie below HOME, without . and ..`},
		{"file at the root", "files: {/etc/x: y}", `s.yaml:1:17: files./etc/x: a path must lie below HOME, without . and ..`},
		{"unknown service", "replies:\n  - match: {service: st}\n    reply: {status: 500}\n", `s.yaml:2:22: replies[0].match.service: unknown service "st" (did you mean "sts"?)`},
		{"reply", "replies:\n  - reply: {delay: -1s}\n", `s.yaml:2:12: replies[0].reply: delay -1s is negative`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse("s.yaml", []byte(tt.yaml))
			if err == nil {
				t.Fatalf("no error, got %+v", s)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorsOfMergedListsPointIntoTheFile(t *testing.T) {
	s := parse(t, "bedrock: {models: [{id: a}, {id: b.c}]}")
	err := s.read("above.yaml", []byte("bedrock:\n  models:\n    - id: x\n    - id: b.c\n      lifecycle: {status: DEAD}\n"), &s)
	const want = `above.yaml:5:27: bedrock.models[b.c].lifecycle.status: "DEAD" is not one of ACTIVE, LEGACY`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParsePolicyErrorsNameTheirKey(t *testing.T) {
	for key, yaml := range map[string]string{
		"s.yaml:2:10: role.trust: ":     "role:\n  trust: {Statement: [{Effect: Perhaps}]}\n",
		"s.yaml:3:8: role.policies.x: ": "role:\n  policies:\n    x: {Statement: [{Effect: Perhaps}]}\n",
	} {
		_, err := Parse("s.yaml", []byte(yaml))
		if err == nil || !strings.HasPrefix(err.Error(), key) {
			t.Errorf("got %v, want %s…", err, key)
		}
	}
}

func TestEveryFieldHasARule(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch {
		case typ == reflect.TypeFor[json.RawMessage]():
		case typ.Kind() == reflect.Struct && typ != reflect.TypeFor[time.Time]():
			for _, f := range fieldsOf(typ) {
				walk(f.Type)
			}
		case typ.Kind() == reflect.Slice, typ.Kind() == reflect.Map, typ.Kind() == reflect.Pointer:
			walk(typ.Elem())
		default:
			_, _ = setScalar(reflect.New(typ).Elem(), ast.Null(nil), "") // panics without a rule
		}
	}
	walk(reflect.TypeFor[faultFile]())
}

func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		Default()
	}
}

func FuzzParse(f *testing.F) {
	f.Add(string(defaultYAML))
	for _, name := range faultNames() {
		data, err := faultFiles.ReadFile("faults/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	for _, seed := range []string{"a: &a [*a]", "? {}", "imds: !!map {hops: 1}", "role: {trust: {a: {b: [1, null, .inf]}}}", "x: |\n y", "{", "bedrock: {models: [{id: a},{id: a}]}",
		"events: {spot: {in: 5m, notice: 1m}, rebalance: {at: 2026-07-30}, lifecycle: [{state: Standby, in: 1h}], maintenance: [{code: system-reboot, in: 24h, for: 2h, deadline: 2026-08-30}]}",
		"instance: {ipv6: \"2001:db8::1\", interfaces: [{mac: 06:1a:2b:3c:4d:5e, private_ips: [10.0.1.24]}, {card: 1, ipv6s: [\"2001:db8::2\"], ipv4_prefixes: [10.0.1.64/28]}]}",
		"instance: {block_devices: {ebs1: sdb}, accelerators: {eia-1: '{}'}, partition: 2}\nimds: {throttle: {per_second: 5, status: 503}, profile: legacy, bridged: true}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, yaml string) {
		s, err := Parse("s.yaml", []byte(yaml))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "s.yaml:") {
				t.Errorf("error without its file: %v", err)
			}
			return
		}
		if err := s.Validate(); err != nil {
			t.Errorf("parsed, but invalid: %v", err)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Errorf("can't travel: %v", err)
		}
		b, err := s.join(Options{})
		if err != nil {
			t.Fatalf("parsed, but can't start: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func parse(t *testing.T, yaml string) Scenario {
	t.Helper()
	s, err := Parse("s.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
