package iam

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	team = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "ssm:*", "Resource": "arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/team}/*"},
    {"Effect": "Deny", "Action": "ssm:DeleteParameter", "Resource": "*"},
    {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}}
  ]
}`
	parameter = "arn:aws:ssm:us-west-2:123456789012:parameter/a/url"
)

// simulate asks about one action on one resource.
func simulate(action, resource string, more ...string) []string {
	p := []string{"ActionNames.member.1", action}
	if resource != "" {
		p = append(p, "ResourceArns.member.1", resource)
	}
	return append(p, more...)
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.must(t, "CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", trust, "Tags.member.1.Key", "team", "Tags.member.1.Value", "a")
	o.must(t, "PutRolePolicy", "RoleName", "app", "PolicyName", "team", "PolicyDocument", team)
	region := []string{"ContextEntries.member.1.ContextKeyName", "aws:RequestedRegion", "ContextEntries.member.1.ContextKeyValues.member.1", "us-west-2", "ContextEntries.member.1.ContextKeyType", "string"}
	for _, tt := range []struct {
		name       string
		parameters []string
		want       string
		matched    int
	}{
		{"allowed by a tag of the role", simulate("ssm:GetParameter", parameter), "allowed", 1},
		{"another team's", simulate("ssm:GetParameter", strings.Replace(parameter, "/a/", "/b/", 1)), "implicitDeny", 0},
		{"denied", simulate("ssm:DeleteParameter", parameter), "explicitDeny", 1},
		{"nothing says so", simulate("s3:GetObject", ""), "implicitDeny", 0},
		{"a key is missing", simulate("ec2:DescribeInstances", ""), "implicitDeny", 0},
		{"the key is told", simulate("ec2:DescribeInstances", "", region...), "allowed", 1},
		{"with a policy of the call", simulate("s3:GetObject", "", "PolicyInputList.member.1", all), "allowed", 1},
		{"within a bound of the call", simulate("ec2:DescribeInstances", "", append(region, "PermissionsBoundaryPolicyInputList.member.1", read)...), "implicitDeny", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := o.must(t, "SimulatePrincipalPolicy", append(tt.parameters, "PolicySourceArn", root+"role/app")...)
			general, _, _ := strings.Cut(answer, "<ResourceSpecificResults>")
			if got := element(answer, "EvalDecision"); got != tt.want || strings.Count(general, "<SourcePolicyId>") != tt.matched {
				t.Errorf("%s, want %s by %d statements: %s", got, tt.want, tt.matched, answer)
			}
		})
	}
	answer := o.must(t, "SimulatePrincipalPolicy", simulate("ec2:DescribeInstances", "", "PolicySourceArn", root+"role/app")...)
	if got := element(answer, "MissingContextValues"); got != "<member>aws:RequestedRegion</member>" {
		t.Errorf("missing: %s", got)
	}
	answer = o.must(t, "SimulatePrincipalPolicy", simulate("ssm:DeleteParameter", parameter, "PolicySourceArn", root+"role/app")...)
	const want = "<SourcePolicyId>role_app_team</SourcePolicyId><SourcePolicyType>IAM Policy</SourcePolicyType>" +
		"<StartPosition><Line>5</Line><Column>5</Column></StartPosition><EndPosition><Line>5</Line><Column>73</Column></EndPosition>"
	if got := element(element(answer, "MatchedStatements"), "member"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A boundary and service control policies hold what a role's own policies
// allow.
func TestSimulateBounds(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.run(t, []step{
		{"CreatePolicy PolicyName=bound PolicyDocument=@read", ""},
		{"CreateUser UserName=ann PermissionsBoundary=arn:aws:iam::123456789012:policy/bound", ""},
		{"PutUserPolicy UserName=ann PolicyName=p PolicyDocument=@all", ""},
	})
	type verdict struct{ decision, boundary, scp string }
	ask := func(action string) verdict {
		answer := o.must(t, "SimulatePrincipalPolicy", simulate(action, "", "PolicySourceArn", root+"user/ann")...)
		return verdict{element(answer, "EvalDecision"), element(answer, "AllowedByPermissionsBoundary"), element(answer, "AllowedByOrganizations")}
	}
	got := []verdict{ask("ssm:GetParameter"), ask("ssm:PutParameter")}
	o.State.SCPs = [][]SCP{{{"root", all}}, {{"unit", one(`{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}`)}}}
	got = append(got, ask("ssm:GetParameter"))
	want := []verdict{{"allowed", "true", ""}, {"implicitDeny", "false", ""}, {"implicitDeny", "true", "false"}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func TestSimulateCustomPolicy(t *testing.T) {
	t.Parallel()
	o := open(t)
	tagging := one(`{"Effect":"Allow","Action":"ec2:CreateTags","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["app","team"]}}}`)
	tags := func(a, b string) []string {
		const entry = "ContextEntries.member.1.ContextKey"
		return []string{entry + "Name", "aws:TagKeys", entry + "Values.member.1", a, entry + "Values.member.2", b, entry + "Type", "stringList"}
	}
	own := one(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/ann"},"Action":"ssm:GetParameter","Resource":"*"}`)
	for _, tt := range []struct {
		name       string
		parameters []string
		want       string
	}{
		{"allowed", simulate("ssm:GetParameter", parameter, "PolicyInputList.member.1", read), "allowed"},
		{"by the resource", simulate("ssm:GetParameter", parameter, "PolicyInputList.member.1", one(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`),
			"ResourcePolicy", own, "CallerArn", root+"user/ann"), "allowed"},
		{"by the resource, to another", simulate("ssm:GetParameter", parameter, "PolicyInputList.member.1", one(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`),
			"ResourcePolicy", own, "CallerArn", root+"user/bob"), "implicitDeny"},
		{"every tag is one of those", simulate("ec2:CreateTags", "", append(tags("app", "team"), "PolicyInputList.member.1", tagging)...), "allowed"},
		{"one tag is not", simulate("ec2:CreateTags", "", append(tags("team", "cost"), "PolicyInputList.member.1", tagging)...), "implicitDeny"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := element(o.must(t, "SimulateCustomPolicy", tt.parameters...), "EvalDecision"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	two := o.must(t, "SimulateCustomPolicy", "PolicyInputList.member.1", read, "ActionNames.member.1", "ssm:GetParameter", "ActionNames.member.2", "ssm:PutParameter",
		"ResourceArns.member.1", parameter, "ResourceArns.member.2", parameter+"2", "MaxItems", "3")
	if diff := cmp.Diff([]string{"allowed", "allowed", "implicitDeny"}, elements(two, "EvalDecision")); diff != "" || element(two, "IsTruncated") != "true" {
		t.Error(diff, two)
	}
	o.run(t, []step{
		{"SimulateCustomPolicy PolicyInputList.member.1=@read", "ValidationError: 1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null"},
		{"SimulateCustomPolicy PolicyInputList.member.1=@read ActionNames.member.1=GetParameter", "InvalidInput: Invalid Input Action name GetParameter"},
		{"SimulateCustomPolicy PolicyInputList.member.1=@trust ActionNames.member.1=a:b", "InvalidInput: Policy document should not specify a principal."},
		{"SimulatePrincipalPolicy PolicySourceArn=arn:aws:iam::123456789012:user/none ActionNames.member.1=a:b", "NoSuchEntity: The entity arn:aws:iam::123456789012:user/none cannot be found."},
	})
	if got := element(o.must(t, "GetContextKeysForCustomPolicy", "PolicyInputList.member.1", team), "ContextKeyNames"); got != "<member>aws:PrincipalTag/team</member><member>aws:RequestedRegion</member>" {
		t.Error(got)
	}
}

// Statements are found in any layout.
func TestStatementSpans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, document string
		want           []string // line:column-line:column
	}{
		{"one", `{"Statement":{"Effect":"Allow"}}`, []string{"1:14-1:32"}},
		{"two", "{\"Statement\": [{},\n {} ]}", []string{"1:16-1:18", "2:2-2:4"}},
		{"none", `{"Version":""}`, nil},
		{"no JSON", `{"Statement":[`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range statementSpans(tt.document) {
				got = append(got, s.start.text()+"-"+s.end.text())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func (p position) text() string { return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) }
