package ssm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/kms"
	"tegata/awsfake/ssm"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

const (
	region  = "ap-northeast-1"
	account = "123456789012"
	arnOf   = "arn:aws:ssm:" + region + ":" + account + ":parameter/"
	userARN = "arn:aws:iam::" + account + ":user/mia"
)

// A place is the Parameter Store with one caller, whose policy a test may
// change.
type place struct {
	*ssm.Service
	policy string
	now    time.Time
}

func start() *place {
	return &place{
		Service: &ssm.Service{State: &ssm.State{}, Keys: &kms.Service{State: &kms.State{}}},
		policy:  allow(`"*"`), now: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC),
	}
}

func allow(action string) string {
	return `{"Statement":{"Effect":"Allow","Action":` + action + `,"Resource":"*"}}`
}

func (p *place) call(operation string) *wire.Call {
	c := &wire.Call{
		ID: "id", Region: region, Account: account, Protocol: wire.JSON,
		Caller: wire.Caller{ARN: userARN, Principal: userARN, User: "mia"},
		Clock:  func() time.Time { return p.now },
		Keys:   func(more map[string]string) map[string]string { return maps.Clone(more) },
	}
	c.Operation = operation
	d, err := policy.Parse([]byte(p.policy))
	c.Decide = func(r policy.Request, own *policy.Named) error {
		layers := policy.Layers{Identity: []policy.Named{{Document: d}}, Resource: own}
		if v := layers.Decide(r); err != nil || v.Decision != policy.Allow {
			return errors.Join(err, wire.Refuse("AccessDeniedException", r.Action+" on "+r.Resource))
		}
		return nil
	}
	return c
}

// do runs an operation and returns its answer, or its error as the wire has it.
func (p *place) do(operation, body string) string {
	for _, o := range p.Wire().Operations {
		if o.Name == operation {
			c := p.call(operation)
			c.Body = []byte(body)
			w := httptest.NewRecorder()
			if err := o.Serve(w, c, &sync.Mutex{}); err != nil {
				return err.Error()
			}
			return w.Body.String()
		}
	}
	return "no such operation"
}

// A step is a call and what its answer contains; "" and "{}" are the whole of
// it.
type step struct{ operation, body, want string }

func (p *place) run(t *testing.T, steps []step) {
	t.Helper()
	for i, s := range steps {
		if got := p.do(s.operation, s.body); !strings.Contains(got, s.want) || s.want == "{}" && got != s.want {
			t.Errorf("%d. %s %s:\ngot  %s\nwant %s", i+1, s.operation, s.body, got, s.want)
		}
	}
}

func TestPutParameter(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 4097)
	for _, tt := range []struct{ name, body, want string }{
		{"string", `{"Name":"/a/b","Value":"v","Type":"String"}`, `{"Tier":"Standard","Version":1}`},
		{"list", `{"Name":"list","Value":"a,b","Type":"StringList"}`, `"Version":1`},
		{"secret", `{"Name":"/s","Value":"v","Type":"SecureString"}`, `"Version":1`},
		{"no name", `{"Value":"v","Type":"String"}`, "ValidationException: 1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"no value", `{"Name":"n","Value":"","Type":"String"}`, "Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"no type", `{"Name":"n","Value":"v"}`, "ValidationException: A parameter type is required when you create a parameter."},
		{"bad type", `{"Name":"n","Value":"v","Type":"Text"}`, "Value 'Text' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]"},
		{"reserved path", `{"Name":"/aws/x","Value":"v","Type":"String"}`, "AccessDeniedException: No access to reserved parameter name: /aws/x."},
		{"reserved word", `{"Name":"AwsThing","Value":"v","Type":"String"}`, `ValidationException: Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`},
		{"reserved ssm", `{"Name":"/ssm/x","Value":"v","Type":"String"}`, `ValidationException: Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path,`},
		{"not qualified", `{"Name":"a/b","Value":"v","Type":"String"}`, "ValidationException: Parameter name must be a fully qualified name."},
		{"bad rune", `{"Name":"/a/b c","Value":"v","Type":"String"}`, `ValidationException: Parameter name: can't be prefixed`},
		{"fifteen levels", `{"Name":"` + strings.Repeat("/l", 15) + `","Value":"v","Type":"String"}`, `"Version":1`},
		{"sixteen levels", `{"Name":"` + strings.Repeat("/l", 16) + `","Value":"v","Type":"String"}`, "HierarchyLevelLimitExceededException: "},
		{"long name", `{"Name":"` + strings.Repeat("n", 1012) + `","Value":"v","Type":"String"}`, "ValidationException: "},
		{"4 KB", `{"Name":"n","Value":"` + big[1:] + `","Type":"String"}`, `{"Tier":"Standard"`},
		{"more", `{"Name":"n","Value":"` + big + `","Type":"String"}`, "ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters."},
		{"more, advanced", `{"Name":"n","Value":"` + big + `","Type":"String","Tier":"Advanced"}`, `{"Tier":"Advanced"`},
		{"more, as it comes", `{"Name":"n","Value":"` + big + `","Type":"String","Tier":"Intelligent-Tiering"}`, `{"Tier":"Advanced"`},
		{"8 KB", `{"Name":"n","Value":"` + big + big + `","Type":"String","Tier":"Advanced"}`, "ValidationException: Advanced tier parameters support a maximum parameter value of 8192 characters."},
		{"pattern", `{"Name":"n","Value":"12","Type":"String","AllowedPattern":"^\\d+$"}`, `"Version":1`},
		{"another pattern", `{"Name":"n","Value":"x","Type":"String","AllowedPattern":"^\\d+$"}`, `ParameterPatternMismatchException: Parameter value, cannot be validated against allowedPattern: ^\d+$`},
		{"no pattern", `{"Name":"n","Value":"x","Type":"String","AllowedPattern":"("}`, "InvalidAllowedPatternException"},
		{"data type", `{"Name":"n","Value":"x","Type":"String","DataType":"TEXT"}`, "ValidationException: The following data type is not supported: TEXT (Data type names are all lowercase.)"},
		{"missing key", `{"Name":"n","Value":"x","Type":"SecureString","KeyId":"alias/none"}`,
			"InvalidKeyId: Alias arn:aws:kms:" + region + ":" + account + ":alias/none is not found. (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: id; Proxy: null)"},
		{"tags and overwrite", `{"Name":"n","Value":"x","Type":"String","Overwrite":true,"Tags":[{"Key":"a","Value":"b"}]}`, "ValidationException: Invalid request: tags and overwrite can't be used together."},
		{"tag of AWS", `{"Name":"n","Value":"x","Type":"String","Tags":[{"Key":"aws:a","Value":"b"}]}`, "ValidationException: aws:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := start().do("PutParameter", tt.body); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestVersionsAndLabels(t *testing.T) {
	t.Parallel()
	p := start()
	p.run(t, []step{
		{"PutParameter", `{"Name":"/a","Value":"one","Type":"String","Description":"first"}`, `"Version":1`},
		{"PutParameter", `{"Name":"/a","Value":"two","Type":"String"}`, "ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true."},
		{"PutParameter", `{"Name":"/a","Value":"two","Overwrite":true}`, `"Version":2`},
		{"GetParameter", `{"Name":"/a"}`, `{"Parameter":{"ARN":"` + arnOf + `a","DataType":"text","LastModifiedDate":1795406706,"Name":"/a","Type":"String","Value":"two","Version":2}}`},
		{"GetParameter", `{"Name":"/a:1"}`, `"Name":"/a","Selector":":1","Type":"String","Value":"one","Version":1`},
		{"GetParameter", `{"Name":"` + arnOf + `a:1"}`, `"Value":"one"`},
		{"GetParameter", `{"Name":"/a:3"}`, "ParameterVersionNotFound: Systems Manager could not find version 3 of /a. Verify the version and try again."},
		{"GetParameter", `{"Name":"/a:prod"}`, "ParameterVersionNotFound: Systems Manager could not find label prod for parameter /a. Verify the label and try again."},
		{"LabelParameterVersion", `{"Name":"/a","ParameterVersion":1,"Labels":["prod","1st","AwsOne","a b"]}`, `{"InvalidLabels":["1st","AwsOne","a b"],"ParameterVersion":1}`},
		{"GetParameter", `{"Name":"/a:prod"}`, `"Selector":":prod","Type":"String","Value":"one"`},
		{"LabelParameterVersion", `{"Name":"/a","Labels":["prod"]}`, `{"InvalidLabels":[],"ParameterVersion":2}`},
		{"GetParameter", `{"Name":"/a:prod"}`, `"Value":"two"`},
		{"GetParameterHistory", `{"Name":"/a"}`, `"Value":"one","Version":1}`},
		{"GetParameterHistory", `{"Name":"/a","MaxResults":1}`, `{"NextToken":`},
		{"LabelParameterVersion", `{"Name":"/a","ParameterVersion":9,"Labels":["x"]}`, "ParameterVersionNotFound: Systems Manager could not find version 9 of /a."},
		{"LabelParameterVersion", `{"Name":"/a","Labels":["a1","a2","a3","a4","a5","a6","a7","a8","a9","a0"]}`, "ParameterVersionLabelLimitExceeded: A parameter version can have maximum 10 labels."},
		{"UnlabelParameterVersion", `{"Name":"/a","Labels":["x"]}`, "Value null at 'parameterVersion'"},
		{"UnlabelParameterVersion", `{"Name":"/a","ParameterVersion":2,"Labels":["x","prod"]}`, `{"InvalidLabels":["x"],"RemovedLabels":["prod"]}`},
		{"GetParameters", `{"Names":["/a","/none","/a:1","/a:7"]}`, `{"InvalidParameters":["/a:7","/none"],"Parameters":[{"ARN":`},
		{"GetParameters", `{"Names":["1","2","3","4","5","6","7","8","9","10","11"]}`, "Value '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 10"},
		{"DeleteParameter", `{"Name":"/a"}`, "{}"},
		{"DeleteParameter", `{"Name":"/a"}`, "ParameterNotFound: "},
		{"DeleteParameters", `{"Names":["/a"]}`, `{"DeletedParameters":[],"InvalidParameters":["/a"]}`},
	})
}

// Of 100 versions the oldest makes way, unless it has a label; a label is
// never on two.
func TestVersionLimit(t *testing.T) {
	t.Parallel()
	p := start()
	for n := 1; n <= 101; n++ {
		want := fmt.Sprintf(`"Version":%d}`, n)
		if got := p.do("PutParameter", `{"Name":"a","Value":"v","Type":"String","Overwrite":true}`); !strings.HasSuffix(got, want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	p.run(t, []step{
		{"GetParameter", `{"Name":"a:1"}`, "ParameterVersionNotFound"},
		{"GetParameter", `{"Name":"a:2"}`, `"Version":2`},
		{"LabelParameterVersion", `{"Name":"a","ParameterVersion":50,"Labels":["keep"]}`, "50"},
		{"LabelParameterVersion", `{"Name":"a","ParameterVersion":2,"Labels":["keep"]}`, "2"},
		{"PutParameter", `{"Name":"a","Value":"v","Type":"String","Overwrite":true}`, "ParameterMaxVersionLimitExceeded: You attempted to create a new version of a by calling the PutParameter API with the overwrite flag. Version 2, the oldest version,"},
	})
	labelled := 0
	for _, v := range p.State.Regions[region].Parameters["a"].Versions {
		labelled += len(v.Labels)
	}
	if labelled != 1 {
		t.Errorf("the label is on %d versions", labelled)
	}
}

func TestPathsAndFilters(t *testing.T) {
	t.Parallel()
	p := start()
	for _, name := range []string{"/app/a", "/app/b", "/app/sub/c", "/application", "word"} {
		p.do("PutParameter", `{"Name":"`+name+`","Value":"v","Type":"String","Tags":[{"Key":"of","Value":"`+name[1:2]+`"}]}`)
	}
	p.do("PutParameter", `{"Name":"/app/s","Value":"v","Type":"SecureString"}`)
	p.do("LabelParameterVersion", `{"Name":"/app/b","Labels":["prod"]}`)
	for _, tt := range []struct{ name, operation, body, want string }{
		{"one level", "GetParametersByPath", `{"Path":"/app"}`, "/app/a /app/b /app/s"},
		{"slash at the end", "GetParametersByPath", `{"Path":"/app/"}`, "/app/a /app/b /app/s"},
		{"recursive", "GetParametersByPath", `{"Path":"/app","Recursive":true}`, "/app/a /app/b /app/s /app/sub/c"},
		{"root", "GetParametersByPath", `{"Path":"/"}`, "/application word"},
		{"by type", "GetParametersByPath", `{"Path":"/app","ParameterFilters":[{"Key":"Type","Values":["SecureString"]}]}`, "/app/s"},
		{"by label", "GetParametersByPath", `{"Path":"/app","ParameterFilters":[{"Key":"Label","Values":["prod"]}]}`, "/app/b"},
		{"all", "DescribeParameters", `{}`, "/app/a /app/b /app/s /app/sub/c /application word"},
		{"name", "DescribeParameters", `{"ParameterFilters":[{"Key":"Name","Values":["/app/a"]}]}`, "/app/a"},
		{"name begins", "DescribeParameters", `{"ParameterFilters":[{"Key":"Name","Option":"BeginsWith","Values":["/app/"]}]}`, "/app/a /app/b /app/s /app/sub/c"},
		{"name contains", "DescribeParameters", `{"ParameterFilters":[{"Key":"Name","Option":"Contains","Values":["sub"]}]}`, "/app/sub/c"},
		{"path", "DescribeParameters", `{"ParameterFilters":[{"Key":"Path","Option":"Recursive","Values":["/app"]},{"Key":"Type","Values":["String"]}]}`, "/app/a /app/b /app/sub/c"},
		{"tag", "DescribeParameters", `{"ParameterFilters":[{"Key":"tag:of","Values":["o"]}]}`, "word"},
		{"key", "DescribeParameters", `{"ParameterFilters":[{"Key":"KeyId","Values":["alias/aws/ssm"]}]}`, "/app/s"},
		{"the older filters", "DescribeParameters", `{"Filters":[{"Key":"Name","Values":["/app/s"]}]}`, "/app/s /app/sub/c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out struct{ Parameters []struct{ Name string } }
			text := p.do(tt.operation, tt.body)
			if err := json.Unmarshal([]byte(text), &out); err != nil {
				t.Fatal(text)
			}
			var got []string
			for _, each := range out.Parameters {
				got = append(got, each.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
	p.run(t, []step{
		{"GetParametersByPath", `{"Path":"app"}`, "ValidationException: The parameter doesn't meet the parameter name requirements."},
		{"GetParametersByPath", `{"Path":"/app","MaxResults":11}`, "Value '11' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 10"},
		{"GetParametersByPath", `{"Path":"/app","NextToken":"?"}`, "InvalidNextToken"},
		{"GetParametersByPath", `{"Path":"/app","ParameterFilters":[{"Key":"Name","Values":["x"]}]}`, "InvalidFilterKey: The following filter key is not valid: Name. Valid filter keys include: [Type, KeyId, Label]."},
		{"GetParametersByPath", `{"Path":"/app","ParameterFilters":[{"Key":"Colour","Values":["x"]}]}`, "Value 'Colour' at 'parameterFilters.1.member.key' failed to satisfy constraint"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Colour","Values":["x"]}]}`, "ValidationException: 1 validation error detected: Value 'Colour' at 'parameterFilters.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType"},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Label","Values":["x"]}]}`, "InvalidFilterKey: "},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Type","Values":["x"]}]}`, "InvalidFilterValue: "},
		{"DescribeParameters", `{"ParameterFilters":[{"Key":"Type","Option":"Contains","Values":["String"]}]}`, "InvalidFilterOption: "},
		{"DescribeParameters", `{"MaxResults":2}`, `{"NextToken":`},
		{"GetParametersByPath", `{"Path":"/aws/service/global-infrastructure/regions"}`, `"Value":"af-south-1"`},
		{"GetParameter", `{"Name":"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"}`, `"ARN":"arn:aws:ssm:` + region + `::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64","DataType":"aws:ec2:image"`},
		{"GetParameter", `{"Name":"/aws/service/none"}`, "ParameterNotFound: "},
		{"AddTagsToResource", `{"ResourceType":"Parameter","ResourceId":"word","Tags":[{"Key":"x","Value":"y"}]}`, "{}"},
		{"RemoveTagsFromResource", `{"ResourceType":"Parameter","ResourceId":"word","TagKeys":["of"]}`, "{}"},
		{"ListTagsForResource", `{"ResourceType":"Parameter","ResourceId":"word"}`, `{"TagList":[{"Key":"x","Value":"y"}]}`},
		{"ListTagsForResource", `{"ResourceType":"Parameter","ResourceId":"none"}`, "InvalidResourceId: "},
	})
}

func TestRights(t *testing.T) {
	t.Parallel()
	const tagged = `{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*","Condition":{"StringEquals":{"ssm:resourceTag/team":"red"}}}}`
	for _, tt := range []struct{ name, policy, operation, body, want string }{
		{"tag that it has", tagged, "GetParameter", `{"Name":"/red"}`, `"Value":"v"`},
		{"tag that it hasn't", tagged, "GetParameter", `{"Name":"/blue"}`, "AccessDeniedException: ssm:GetParameter on " + arnOf + "blue"},
		{"nothing tells what is there", allow(`"s3:*"`), "GetParameter", `{"Name":"/none"}`, "AccessDeniedException: ssm:GetParameter on " + arnOf + "none"},
		{"one of several", tagged, "GetParameters", `{"Names":["/red","/blue"]}`, "AccessDeniedException: ssm:GetParameters on " + arnOf + "blue"},
		{"path", `{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"` + arnOf + `app"}}`, "GetParametersByPath", `{"Path":"/app"}`, `"Parameters":[]`},
		{"another path", `{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"` + arnOf + `app"}}`, "GetParametersByPath", `{"Path":"/other"}`, "on " + arnOf + "other"},
		{"recursion", `{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*","Condition":{"Bool":{"ssm:Recursive":"false"}}}}`, "GetParametersByPath", `{"Path":"/","Recursive":true}`, "AccessDeniedException"},
		{"description is for all or none", `{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"` + arnOf + `*"}}`, "DescribeParameters", `{}`, "AccessDeniedException: ssm:DescribeParameters on *"},
		{"request tag", `{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}}}`,
			"PutParameter", `{"Name":"n","Value":"v","Type":"String","Tags":[{"Key":"team","Value":"blue"}]}`, "AccessDeniedException: ssm:PutParameter"},
		{"secret of the caller's key", allow(`"ssm:*"`), "GetParameter", `{"Name":"/own","WithDecryption":true}`, "AccessDeniedException: " + kms.NoKey},
		{"secret without decryption", allow(`"ssm:*"`), "GetParameter", `{"Name":"/own"}`, `"Type":"SecureString","Value":"AQIC`},
		{"secret of AWS's key", allow(`"ssm:*"`), "GetParameter", `{"Name":"/secret","WithDecryption":true}`, `"Value":"v"`},
		{"encryption context", `{"Statement":[` + `{"Effect":"Allow","Action":"ssm:*","Resource":"*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:PARAMETER_ARN":"` + arnOf + `own","kms:ViaService":"ssm.` + region + `.amazonaws.com"}}}]}`,
			"GetParameter", `{"Name":"/own","WithDecryption":true}`, `"Value":"v"`},
		{"another encryption context", `{"Statement":[` + `{"Effect":"Allow","Action":"ssm:*","Resource":"*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:PARAMETER_ARN":"x"}}}]}`,
			"GetParameter", `{"Name":"/own","WithDecryption":true}`, kms.NoKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start()
			p.Parameters = map[string]ssm.Seed{"/own": {Value: "v", Type: "SecureString", KeyID: "1234"}, "/secret": {Value: "v", Type: "SecureString"}}
			for _, team := range []string{"red", "blue"} {
				p.do("PutParameter", `{"Name":"/`+team+`","Value":"v","Type":"String","Tags":[{"Key":"team","Value":"`+team+`"}]}`)
			}
			p.policy = tt.policy
			if got := p.do(tt.operation, tt.body); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A key that can't be used is told with KMS's own words.
func TestDisabledKey(t *testing.T) {
	t.Parallel()
	p := start()
	key := p.Keys.Adopt(p.call(""), "alias/own")
	p.do("PutParameter", `{"Name":"/s","Value":"v","Type":"SecureString","KeyId":"alias/own"}`)
	key.Disabled = true
	want := "InvalidKeyId: " + key.ARN + " is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: id; Proxy: null)"
	p.run(t, []step{
		{"GetParameter", `{"Name":"/s","WithDecryption":true}`, want},
		{"GetParameter", `{"Name":"/s"}`, `"Type":"SecureString"`},
		{"PutParameter", `{"Name":"/s","Value":"w","Type":"SecureString","KeyId":"alias/own","Overwrite":true}`, want},
	})
}

func TestSecretReference(t *testing.T) {
	t.Parallel()
	p := start()
	read := step{"GetParameter", `{"Name":"/aws/reference/secretsmanager/db","WithDecryption":true}`, ""}
	missing := read
	missing.want = "ParameterNotFound: An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret /aws/reference/secretsmanager/db not found."
	p.run(t, []step{missing, {"GetParameter", `{"Name":"/aws/reference/secretsmanager/db"}`, "ValidationException: WithDecryption flag must be True for retrieving a Secret Manager secret."}})
	p.Secret = func(_ *wire.Call, id, version, stage string) (ssm.Secret, error) {
		return ssm.Secret{ARN: "arn", Name: id, Value: ssm.Value("v of " + stage)}, nil
	}
	p.run(t, []step{{"GetParameter", `{"Name":"/aws/reference/secretsmanager/db:AWSPREVIOUS","WithDecryption":true}`, `"Value":"v of AWSPREVIOUS"`}})
}

// What is saved is what was there, and no value shows elsewhere.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	p := start()
	p.do("PutParameter", `{"Name":"/s","Value":"hidden","Type":"SecureString","Tags":[{"Key":"a","Value":"b"}]}`)
	saved, err := json.Marshal(p.State)
	if err != nil || strings.Contains(string(saved), "hidden") {
		t.Fatalf("%v, %s", err, saved)
	}
	loaded := start()
	loaded.Keys = p.Keys
	if err := json.Unmarshal(saved, loaded.State); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(loaded.State); string(again) != string(saved) {
		t.Errorf("saved %s, and then %s", saved, again)
	}
	loaded.run(t, []step{{"GetParameter", `{"Name":"/s","WithDecryption":true}`, `"Value":"hidden"`}})
	v := *p.State.Regions[region].Parameters["/s"].Versions[0]
	v.Value = "hidden"
	if printed := fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v.Value, v.Value) + fmt.Sprint(ssm.Seed{Value: "hidden"}); strings.Contains(printed, "hidden") {
		t.Error(printed)
	}
}

func BenchmarkGetParameter(b *testing.B) {
	p := start()
	p.do("PutParameter", `{"Name":"/a/b","Value":"v","Type":"String"}`)
	p.do("PutParameter", `{"Name":"/a/s","Value":"v","Type":"SecureString"}`)
	for _, name := range []string{"/a/b", "/a/s"} {
		b.Run(name[3:], func(b *testing.B) {
			for b.Loop() {
				if got := p.do("GetParameter", `{"Name":"`+name+`","WithDecryption":true}`); !strings.Contains(got, `"Value":"v"`) {
					b.Fatal(got)
				}
			}
		})
	}
}
