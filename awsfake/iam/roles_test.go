package iam

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.run(t, []step{
		{"CreateRole RoleName=web AssumeRolePolicyDocument=@trust Path=/apps/ Description=serves", "<Arn>arn:aws:iam::123456789012:role/apps/web</Arn>"},
		{"GetRole RoleName=web", "<Description>serves</Description><MaxSessionDuration>3600</MaxSessionDuration><RoleLastUsed></RoleLastUsed></Role>"},
		{"GetRole RoleName=web", "<AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C"},
		{"CreateRole RoleName=web AssumeRolePolicyDocument=@trust", "EntityAlreadyExists: Role with name web already exists."},
		{"CreateRole RoleName=app AssumeRolePolicyDocument=@read", "MalformedPolicyDocument: Has prohibited field Resource"},
		{"CreateRole RoleName=app AssumeRolePolicyDocument=@trust MaxSessionDuration=3599",
			"ValidationError: 1 validation error detected: Value '3599' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"},
		{"CreateRole RoleName=" + strings.Repeat("r", 65) + " AssumeRolePolicyDocument=@trust",
			"ValidationError: 1 validation error detected: Value '" + strings.Repeat("r", 65) + "' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"UpdateRole RoleName=web MaxSessionDuration=7200", "<UpdateRoleResult></UpdateRoleResult>"},
		{"GetRole RoleName=web", "<Description>serves</Description><MaxSessionDuration>7200</MaxSessionDuration>"},
		{"CreateUser UserName=ann Tags=", "<UserName>ann</UserName>"},
		{"DeleteUser UserName=ann", ""},
		{"UpdateRoleDescription RoleName=web Description=more", "<Description>more</Description>"},
		{"UpdateAssumeRolePolicy RoleName=web PolicyDocument={", "MalformedPolicyDocument: This policy contains invalid Json"},
		{"UpdateAssumeRolePolicy RoleName=none PolicyDocument=@trust", "NoSuchEntity: The role with name none cannot be found."},
		{"ListRoles", "<RoleName>web</RoleName>"},
		{"TagRole RoleName=web Tags.member.1.Key=team Tags.member.1.Value=a", ""},
		{"ListRoleTags RoleName=web", "<Key>team</Key>"},
		{"CreateInstanceProfile InstanceProfileName=web", "<Roles></Roles></InstanceProfile>"},
		{"CreateInstanceProfile InstanceProfileName=web", "EntityAlreadyExists: Instance Profile web already exists."},
		{"AddRoleToInstanceProfile InstanceProfileName=web RoleName=none", "NoSuchEntity: The role with name none cannot be found."},
		{"AddRoleToInstanceProfile InstanceProfileName=none RoleName=web", "NoSuchEntity: Instance Profile none cannot be found."},
		{"AddRoleToInstanceProfile InstanceProfileName=web RoleName=web", ""},
		{"AddRoleToInstanceProfile InstanceProfileName=web RoleName=web", "LimitExceeded: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"},
		{"ListInstanceProfilesForRole RoleName=web", "<InstanceProfileName>web</InstanceProfileName>"},
		{"GetInstanceProfile InstanceProfileName=web", "<Roles><member><Path>/apps/</Path><RoleName>web</RoleName>"},
		{"TagInstanceProfile InstanceProfileName=web Tags.member.1.Key=team Tags.member.1.Value=a", ""},
		{"DeleteRole RoleName=web", "DeleteConflict: Cannot delete entity, must remove roles from instance profile first."},
		{"DeleteInstanceProfile InstanceProfileName=web", "DeleteConflict: Cannot delete entity, must remove roles from instance profile first."},
	})
	roundTrip(t, o.State)
	o.UsedRole("web", Use{At: noon, Service: "sts", Region: "us-west-2"})
	o.run(t, []step{
		{"GetRole RoleName=web", "<RoleLastUsed><LastUsedDate>2026-11-23T12:00:00Z</LastUsedDate><Region>us-west-2</Region></RoleLastUsed>"},
		{"RemoveRoleFromInstanceProfile InstanceProfileName=web RoleName=other", "NoSuchEntity: The role with name other cannot be found."},
		{"RemoveRoleFromInstanceProfile InstanceProfileName=web RoleName=web", ""},
		{"DeleteInstanceProfile InstanceProfileName=web", ""},
		{"AttachRolePolicy RoleName=web PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess", ""},
		{"DeleteRole RoleName=web", "DeleteConflict: Cannot delete entity, must detach all policies first."},
		{"DetachRolePolicy RoleName=web PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess", ""},
		{"PutRolePolicy RoleName=web PolicyName=p PolicyDocument=@read", ""},
		{"DeleteRole RoleName=web", "DeleteConflict: Cannot delete entity, must delete policies first."},
		{"DeleteRolePolicy RoleName=web PolicyName=p", ""},
		{"DeleteRole RoleName=web", ""},
		{"ListRoles", "<Roles></Roles>"},
	})
}

// Who gives a profile its role passes the role on, and has to be allowed to.
func TestPassRole(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.must(t, "CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", trust)
	o.must(t, "CreateInstanceProfile", "InstanceProfileName", "web")
	o.may = parsed(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:AddRoleToInstanceProfile","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}]}`)
	_, err := o.ask(t, "AddRoleToInstanceProfile", "InstanceProfileName", "web", "RoleName", "web")
	if want := "AccessDenied: not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/web"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if profile, _ := o.State.InstanceProfile("web"); profile.Role != "" {
		t.Error("the role was given nevertheless")
	}
}

// A scenario's role has the same id in every run, and the policies that it was
// given.
func TestSeeds(t *testing.T) {
	t.Parallel()
	var s State
	a := Account{ID: number}
	own := s.PutPolicy(a, Policy{Identity: Identity{Name: "own"}, Versions: []Version{{ID: "v1", Document: read}}})
	s.PutRole(a, Role{Identity: Identity{Name: "web"}, Permissions: Permissions{
		Inline: map[string]string{"inline": all}, Attached: []string{own.ARN, "arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM"}, Boundary: own.ARN,
	}})
	s.PutInstanceProfile(a, InstanceProfile{Identity: Identity{Name: "web"}, Role: "web"})
	s.PutUser(a, User{Identity: Identity{Name: "ann", Path: "/apps/"}})
	s.PutKey(Key{ID: "AKIAEXAMPLEEXAMPLE12", Secret: "s", User: "ann"})
	s.PutProvider(a, Provider{URL: "issuer.example"})
	s.SCPs = [][]SCP{{{"full", all}}}
	role, _ := s.Role("web")
	user, _ := s.User("ann")
	provider, _ := s.Provider("https://issuer.example")
	got := []string{role.ARN, role.ID, user.ARN, provider.ARN, s.InstanceProfiles["web"].ARN}
	if diff := cmp.Diff([]string{root + "role/web", "AROAPOQKMMRCHPF74ZUWT", root + "user/apps/ann", root + "oidc-provider/issuer.example", root + "instance-profile/web"}, got); diff != "" {
		t.Error(diff)
	}
	if role.MaxSession != time.Hour || role.Trust != trust {
		t.Errorf("the role is %+v", role)
	}
	layers := (&Service{State: &s}).RoleLayers(role)
	var names []string
	for _, n := range layers.Identity {
		names = append(names, n.Name)
	}
	names = append(names, layers.Boundary.Name, layers.SCPs[0][0].Name)
	if diff := cmp.Diff([]string{"inline", "own", "AmazonEC2RoleforSSM", "own", "full"}, names); diff != "" {
		t.Error(diff)
	}
	caller := (&Service{State: &s}).Caller(user, *s.Keys["AKIAEXAMPLEEXAMPLE12"])
	if caller.Principal != user.ARN || caller.Context["aws:username"] != "ann" || !caller.LongTerm {
		t.Errorf("the caller is %+v", caller)
	}
	roundTrip(t, &s)
}
