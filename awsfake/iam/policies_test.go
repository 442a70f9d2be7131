package iam

import (
	"fmt"
	"strings"
	"testing"

	"tegata/internal/policy"
)

// sized is a policy with so many characters.
func sized(n int) string {
	const frame = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:*:*:parameter/"}]}`
	return strings.Replace(frame, `parameter/`, `parameter/`+strings.Repeat("x", n-len(frame)), 1)
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	const own = "arn:aws:iam::123456789012:policy/apps/read"
	const aws = "arn:aws:iam::aws:policy/AmazonBedrockReadOnly"
	o := open(t)
	o.run(t, []step{
		{"CreateUser UserName=ann", ""},
		{"CreatePolicy PolicyName=read Path=/apps/ PolicyDocument=@read Description=reads", "<DefaultVersionId>v1</DefaultVersionId><AttachmentCount>0</AttachmentCount>"},
		{"CreatePolicy PolicyName=Read PolicyDocument=@read", "EntityAlreadyExists: A policy called Read already exists. Duplicate names are not allowed."},
		{"CreatePolicy PolicyName=trust PolicyDocument=@trust", "MalformedPolicyDocument: Policy document should not specify a principal."},
		{"GetPolicy PolicyArn=" + own, "<Description>reads</Description>"},
		{"GetPolicy PolicyArn=arn:aws:iam::123456789012:policy/none", "NoSuchEntity: Policy arn:aws:iam::123456789012:policy/none was not found."},
		{"GetPolicy PolicyArn=arn:aws:s3:::bucket/object", "InvalidInput: ARN arn:aws:s3:::bucket/object is not valid."},
		{"AttachUserPolicy UserName=ann PolicyArn=" + own, ""},
		{"AttachUserPolicy UserName=ann PolicyArn=" + own, ""},
		{"AttachUserPolicy UserName=ann PolicyArn=" + aws, ""},
		{"AttachUserPolicy UserName=ann PolicyArn=arn:aws:iam::aws:policy/None", "NoSuchEntity: Policy arn:aws:iam::aws:policy/None does not exist or is not attachable."},
		{"GetPolicy PolicyArn=" + own, "<AttachmentCount>1</AttachmentCount>"},
		{"ListAttachedUserPolicies UserName=ann", "<member><PolicyName>read</PolicyName><PolicyArn>" + own + "</PolicyArn></member><member><PolicyName>AmazonBedrockReadOnly</PolicyName>"},
		{"ListAttachedUserPolicies UserName=ann PathPrefix=/apps/", own + "</PolicyArn></member></AttachedPolicies>"},
		{"ListEntitiesForPolicy PolicyArn=" + own, "<PolicyUsers><member><UserName>ann</UserName>"},
		{"ListEntitiesForPolicy PolicyArn=" + own + " EntityFilter=Role", "<PolicyUsers></PolicyUsers><PolicyRoles></PolicyRoles>"},
		{"ListPolicies Scope=Local", own},
		{"ListPolicies Scope=AWS OnlyAttached=true", "<member><PolicyName>AmazonBedrockReadOnly</PolicyName>"},
		{"DeletePolicy PolicyArn=" + own, "DeleteConflict: Cannot delete a policy attached to entities."},
		{"DeleteUser UserName=ann", "DeleteConflict: Cannot delete entity, must detach all policies first."},
		{"CreatePolicyVersion PolicyArn=" + own + " PolicyDocument=@all SetAsDefault=true", "<VersionId>v2</VersionId><IsDefaultVersion>true</IsDefaultVersion>"},
		{"CreatePolicyVersion PolicyArn=" + own + " PolicyDocument=@all", "<IsDefaultVersion>false</IsDefaultVersion>"},
		{"GetPolicyVersion PolicyArn=" + own + " VersionId=v1", "<Document>" + encoded(read) + "</Document><VersionId>v1</VersionId><IsDefaultVersion>false</IsDefaultVersion>"},
		{"GetPolicyVersion PolicyArn=" + own + " VersionId=v9", "NoSuchEntity: Policy " + own + " version v9 does not exist or is not attachable."},
		{"GetPolicyVersion PolicyArn=" + aws + " VersionId=v1", "bedrock%3AGet%2A"},
		{"DeletePolicyVersion PolicyArn=" + own + " VersionId=v2", "DeleteConflict: Cannot delete the default version of a policy."},
		{"CreatePolicyVersion PolicyArn=" + own + " PolicyDocument=@all", "v4"},
		{"CreatePolicyVersion PolicyArn=" + own + " PolicyDocument=@all", "v5"},
		{"CreatePolicyVersion PolicyArn=" + own + " PolicyDocument=@all",
			"LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."},
		{"DeletePolicyVersion PolicyArn=" + own + " VersionId=v5", ""},
		{"CreatePolicyVersion PolicyArn=" + own + " PolicyDocument=@read", "<VersionId>v6</VersionId>"},
		{"SetDefaultPolicyVersion PolicyArn=" + own + " VersionId=v6", ""},
		{"ListPolicyVersions PolicyArn=" + own, "<Versions><member><VersionId>v6</VersionId><IsDefaultVersion>true</IsDefaultVersion>"},
		{"TagPolicy PolicyArn=" + own + " Tags.member.1.Key=k Tags.member.1.Value=v", ""},
		{"ListPolicyTags PolicyArn=" + own, "<Value>v</Value>"},
		{"DetachUserPolicy UserName=ann PolicyArn=" + own, ""},
		{"DetachUserPolicy UserName=ann PolicyArn=" + own, "NoSuchEntity: Policy " + own + " was not found."},
		{"PutUserPermissionsBoundary UserName=ann PermissionsBoundary=" + own, ""},
		{"GetUser UserName=ann", "<PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>" + own},
		{"DeletePolicy PolicyArn=" + own, "DeleteConflict: Cannot delete a policy attached to entities."},
		{"DeleteUserPermissionsBoundary UserName=ann", ""},
		{"DeletePolicy PolicyArn=" + own, "DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."},
		{"DeletePolicy PolicyArn=" + aws, "AccessDenied: User: arn:aws:sts::123456789012:assumed-role/admin/s is not authorized to perform: iam:DeletePolicy on resource: policy " + aws},
	})
	roundTrip(t, o.State)
	for _, v := range []string{"v1", "v2", "v3", "v4"} {
		o.must(t, "DeletePolicyVersion", "PolicyArn", own, "VersionId", v)
	}
	o.must(t, "DeletePolicy", "PolicyArn", own)
}

// Quotas count characters without white space.
func TestSizes(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.run(t, []step{{"CreateUser UserName=u", ""}, {"CreateRole RoleName=r AssumeRolePolicyDocument=@trust", ""}})
	for _, tt := range []struct {
		name       string
		most       int
		want       string
		operation  string
		parameters []string
	}{
		{"a user's", 2048, "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user u", "PutUserPolicy", []string{"UserName", "u", "PolicyName", "p"}},
		{"a role's", 10240, "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role r", "PutRolePolicy", []string{"RoleName", "r", "PolicyName", "p"}},
		{"a managed one", 6144, "LimitExceeded: Cannot exceed quota for PolicySize: 6144", "CreatePolicy", []string{"PolicyName", "p"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			with := func(document string) []string { return append(tt.parameters, "PolicyDocument", document) }
			if _, err := o.ask(t, tt.operation, with(sized(tt.most+1))...); err == nil || err.Error() != tt.want {
				t.Errorf("one too many: %v", err)
			}
			if _, err := o.ask(t, tt.operation, with(sized(tt.most)+" \n\t")...); err != nil {
				t.Errorf("just fits: %v", err)
			}
		})
	}
	o.run(t, []step{
		{"PutUserPolicy UserName=u PolicyName=q PolicyDocument=@read", "LimitExceeded: Maximum policy size of 2048 bytes exceeded for user u"}, // all together
		{"PutUserPolicy UserName=u PolicyName=p PolicyDocument=@read", ""},
		{"PutUserPolicy UserName=u PolicyName=q PolicyDocument=@read", ""},
		{"ListUserPolicies UserName=u", "<PolicyNames><member>p</member><member>q</member></PolicyNames>"},
		{"GetUserPolicy UserName=u PolicyName=p", "<UserName>u</UserName><PolicyName>p</PolicyName><PolicyDocument>" + encoded(read)},
		{"GetRolePolicy RoleName=r PolicyName=q", "NoSuchEntity: The role policy with name q cannot be found."},
		{"DeleteUser UserName=u", "DeleteConflict: Cannot delete entity, must delete policies first."},
	})
	for n := range maxAttached {
		o.must(t, "CreatePolicy", "PolicyName", fmt.Sprint("n", n), "PolicyDocument", read)
		o.must(t, "AttachUserPolicy", "UserName", "u", "PolicyArn", root+"policy/"+fmt.Sprint("n", n))
	}
	o.run(t, []step{{"AttachUserPolicy UserName=u PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess", "LimitExceeded: Cannot exceed quota for PoliciesPerUser: 10"}})
}

// All of AWS's policies that are here are policies, and fit.
func TestManagedByAWS(t *testing.T) {
	t.Parallel()
	all := allManagedByAWS("aws")
	if len(all) < 20 {
		t.Errorf("only %d", len(all))
	}
	for _, p := range all {
		if problem := permissionProblem(p.Versions[0].Document); problem != "" || characters(p.Versions[0].Document) > maxManaged {
			t.Errorf("%s: %s", p.ARN, problem)
		}
		if found, ok := managedByAWS(p.ARN); !ok || found.Name != p.Name {
			t.Errorf("%s is not found", p.ARN)
		}
	}
	for _, arn := range []string{"arn:aws:iam::aws:policy/../iam.go", "arn:aws:iam::aws:policy/", "x", "arn:aws:iam::123456789012:policy/ReadOnlyAccess"} {
		if _, ok := managedByAWS(arn); ok {
			t.Errorf("%s is one of AWS's", arn)
		}
	}
	var s State
	document, _ := s.Document("arn:aws:iam::aws:policy/AdministratorAccess")
	if policy.Evaluate([]policy.Document{parsed(t, document)}, policy.Request{Action: "iam:CreateUser", Resource: "*"}) != policy.Allow {
		t.Error("an administrator may not")
	}
}

func TestOthers(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.run(t, []step{
		{"CreateUser UserName=ann", ""},
		{"ListGroupsForUser UserName=ann", "<Groups></Groups><IsTruncated>false</IsTruncated>"},
		{"ListMFADevices UserName=ann", "<MFADevices></MFADevices>"},
		{"ListVirtualMFADevices MaxItems=0", "ValidationError: 1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"ListVirtualMFADevices", "<VirtualMFADevices></VirtualMFADevices>"},
		{"ListSSHPublicKeys UserName=ann", "<SSHPublicKeys></SSHPublicKeys>"},
		{"ListSigningCertificates UserName=ann", "<Certificates></Certificates>"},
		{"ListServiceSpecificCredentials UserName=ann", "<ServiceSpecificCredentials></ServiceSpecificCredentials>"},
		{"ListGroupsForUser UserName=bob", "NoSuchEntity: The user with name bob cannot be found."},
		{"GetLoginProfile UserName=ann", "NoSuchEntity: Login Profile for User ann cannot be found."},
		{"DeleteLoginProfile UserName=ann", "NoSuchEntity: Login Profile for User ann cannot be found."},
		{"ListGroups", "<Groups></Groups>"},
		{"ListAccountAliases MaxItems=0", "ValidationError: 1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"ListAccountAliases", "<AccountAliases></AccountAliases>"},
		{"GetAccountSummary", "<SummaryMap><entry><key>AccessKeysPerUserQuota</key><value>2</value></entry>"},
		{"GetAccountSummary", "<entry><key>Users</key><value>1</value></entry>"},
		{"PutUserPolicy UserName=ann PolicyName=p PolicyDocument=@read", ""},
		{"GetAccountAuthorizationDetails", "<UserPolicyList><member><PolicyName>p</PolicyName>"},
		{"GetAccountAuthorizationDetails Filter.member.1=Role", "<UserDetailList></UserDetailList>"},
	})
}
