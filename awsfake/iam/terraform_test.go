package iam

import "testing"

// What terraform's provider asks when it makes a user with a key and an
// instance's role, looks again, and takes all away.
func TestTerraformSequence(t *testing.T) {
	t.Parallel()
	const own = "arn:aws:iam::123456789012:policy/invoke"
	o := open(t)
	o.run(t, []step{
		{"CreateUser UserName=app Path=/apps/ Tags.member.1.Key=app Tags.member.1.Value=bedrock", "<UserName>app</UserName>"},
		{"GetUser UserName=app", "<UserName>app</UserName>"},
		{"CreatePolicy PolicyName=invoke Path=/ PolicyDocument=@read Description=d", own},
		{"GetPolicy PolicyArn=" + own, own},
		{"GetPolicyVersion PolicyArn=" + own + " VersionId=v1", encoded(read)},
		{"AttachUserPolicy UserName=app PolicyArn=" + own, ""},
		{"ListAttachedUserPolicies UserName=app", own},
		{"CreateRole RoleName=i Path=/ AssumeRolePolicyDocument=@trust MaxSessionDuration=7200", "<MaxSessionDuration>7200"},
		{"GetRole RoleName=i", encoded(trust)},
		{"ListRolePolicies RoleName=i", "<PolicyNames></PolicyNames>"},
		{"ListAttachedRolePolicies RoleName=i", "<AttachedPolicies></AttachedPolicies>"},
		{"AttachRolePolicy RoleName=i PolicyArn=" + own, ""},
		{"PutRolePolicy RoleName=i PolicyName=p PolicyDocument=@read", ""},
		{"GetRolePolicy RoleName=i PolicyName=p", "<PolicyDocument>" + encoded(read)},
		{"CreateInstanceProfile InstanceProfileName=i Path=/", "<Roles></Roles>"},
		{"GetInstanceProfile InstanceProfileName=i", "<Path>/</Path>"},
		{"AddRoleToInstanceProfile InstanceProfileName=i RoleName=i", ""},
		{"ListEntitiesForPolicy PolicyArn=" + own, "<RoleName>i</RoleName>"},
		// destroy
		{"RemoveRoleFromInstanceProfile InstanceProfileName=i RoleName=i", ""},
		{"DeleteInstanceProfile InstanceProfileName=i", ""},
		{"DeleteRolePolicy RoleName=i PolicyName=p", ""},
		{"DetachRolePolicy RoleName=i PolicyArn=" + own, ""},
		{"ListInstanceProfilesForRole RoleName=i", "<InstanceProfiles></InstanceProfiles>"},
		{"DeleteRole RoleName=i", ""},
		{"DetachUserPolicy UserName=app PolicyArn=" + own, ""},
		{"ListPolicyVersions PolicyArn=" + own, "<VersionId>v1</VersionId>"},
		{"DeletePolicy PolicyArn=" + own, ""},
		{"ListGroupsForUser UserName=app", "<Groups></Groups>"},
		{"ListVirtualMFADevices AssignmentStatus=Assigned", "<VirtualMFADevices></VirtualMFADevices>"},
		{"DeleteUser UserName=app", ""},
		{"ListUsers", "<Users></Users>"},
		{"ListRoles", "<Roles></Roles>"},
		{"ListPolicies Scope=Local", "<Policies></Policies>"},
	})
}
