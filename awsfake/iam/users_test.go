package iam

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	const badName = "ValidationError: The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	o := open(t)
	o.run(t, []step{
		{"CreateUser UserName=ann Path=/apps/ Tags.member.1.Key=app Tags.member.1.Value=chat", "<Arn>arn:aws:iam::123456789012:user/apps/ann</Arn>"},
		{"GetUser UserName=ann", "<CreateDate>2026-11-23T12:00:00Z</CreateDate><Tags><member><Key>app</Key><Value>chat</Value></member></Tags></User>"},
		{"CreateUser UserName=Ann", "EntityAlreadyExists: User with name Ann already exists."},
		{"CreateUser UserName=a␠b", badName},
		{"CreateUser", "ValidationError: 1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null"},
		{"CreateUser UserName=bob Path=apps", "ValidationError: The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."},
		{"CreateUser UserName=bob PermissionsBoundary=arn:aws:iam::123456789012:policy/none",
			"NoSuchEntity: Scope ARN: arn:aws:iam::123456789012:policy/none does not exist or is not attachable."},
		{"GetUser UserName=bob", "NoSuchEntity: The user with name bob cannot be found."},
		{"GetUser", "ValidationError: Must specify userName when calling with non-User credentials"},
		{"ListUsers PathPrefix=/apps/", "<UserName>ann</UserName>"},
		{"ListUsers PathPrefix=/web/", "<Users></Users><IsTruncated>false</IsTruncated>"},
		{"ListUsers MaxItems=0", "ValidationError: 1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"ListUsers Marker=x", "ValidationError: Invalid Marker."},
		{"TagUser UserName=ann Tags.member.1.Key=App Tags.member.1.Value=web", ""},
		{"ListUserTags UserName=ann", "<Tags><member><Key>App</Key><Value>web</Value></member></Tags>"},
		{"TagUser UserName=ann Tags.member.1.Key=a Tags.member.2.Key=A", "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"TagUser UserName=ann Tags.member.1.Key=AWS:mine", "InvalidInput: Tag keys starting with 'aws:' are reserved for internal use."},
		{"UntagUser UserName=ann TagKeys.member.1=app", ""},
		{"ListUserTags UserName=ann", "<Tags></Tags>"},
		{"CreateAccessKey UserName=ann", "<Status>Active</Status>"},
		{"UpdateUser UserName=ann NewUserName=anna NewPath=/", ""},
		{"ListAccessKeys UserName=anna", "<UserName>anna</UserName>"},
		{"DeleteUser UserName=anna", "DeleteConflict: Cannot delete entity, must delete access keys first."},
	})
	roundTrip(t, o.State)
}

// Users are decided over by their ARN, which has their path.
func TestUserARNs(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.must(t, "CreateUser", "UserName", "ann", "Path", "/apps/")
	o.must(t, "GetUser", "UserName", "ann")
	o.must(t, "ListUsers")
	if _, err := o.ask(t, "GetUser", "UserName", "nobody"); err == nil {
		t.Error("nobody is there")
	}
	o.may = parsed(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::123456789012:user/apps/*"}]}`)
	want := "AccessDenied: not authorized to perform: iam:CreateUser on resource: " + root + "user/bob"
	if _, err := o.ask(t, "CreateUser", "UserName", "bob"); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if diff := cmp.Diff([]string{
		"iam:CreateUser " + root + "user/apps/ann", "iam:GetUser " + root + "user/apps/ann", "iam:ListUsers " + root + "user/",
		"iam:GetUser " + root + "user/nobody", "iam:CreateUser " + root + "user/bob",
	}, o.asked); diff != "" {
		t.Error(diff)
	}
}

func TestPagesOfUsers(t *testing.T) {
	t.Parallel()
	o := open(t)
	for n := range 7 {
		o.must(t, "CreateUser", "UserName", fmt.Sprintf("u%d", n))
	}
	var got []string
	parameters := []string{"MaxItems", "3"}
	for pages := 0; pages < 3; pages++ {
		answer := o.must(t, "ListUsers", parameters...)
		got = append(got, elements(answer, "UserName")...)
		parameters = []string{"MaxItems", "3", "Marker", element(answer, "Marker")}
	}
	if want := "u0 u1 u2 u3 u4 u5 u6"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.must(t, "CreateUser", "UserName", "ann")
	answer := o.must(t, "CreateAccessKey", "UserName", "ann")
	id, secret := element(answer, "AccessKeyId"), element(answer, "SecretAccessKey")
	if len(id) != 20 || !strings.HasPrefix(id, "AKIA") || len(secret) != 40 {
		t.Fatalf("a key %s with a secret of %d characters", id, len(secret))
	}
	o.run(t, []step{
		{"CreateAccessKey UserName=ann", "<UserName>ann</UserName>"},
		{"CreateAccessKey UserName=ann", "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2"},
		{"CreateAccessKey UserName=bob", "NoSuchEntity: The user with name bob cannot be found."},
		{"UpdateAccessKey UserName=ann AccessKeyId=" + id + " Status=Off",
			"ValidationError: 1 validation error detected: Value 'Off' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive, Expired]"},
		{"UpdateAccessKey UserName=ann AccessKeyId=" + id + " Status=Inactive", ""},
		{"ListAccessKeys UserName=ann", "<AccessKeyId>" + id + "</AccessKeyId><Status>Inactive</Status>"},
		{"GetAccessKeyLastUsed AccessKeyId=" + id, "<UserName>ann</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>"},
		{"DeleteAccessKey UserName=ann AccessKeyId=AKIAEXAMPLEEXAMPLE12", "NoSuchEntity: The Access Key with id AKIAEXAMPLEEXAMPLE12 cannot be found."},
	})
	if listed := o.must(t, "ListAccessKeys", "UserName", "ann"); strings.Contains(listed, secret) {
		t.Error("the secret is told a second time")
	}
	key, user, ok := o.Key(id, noon)
	if !ok || !key.Inactive || user.Name != "ann" || key.Secret.Reveal() != secret || strings.Contains(fmt.Sprintf("%v %+v %#v", key, key, key), secret) {
		t.Errorf("the server finds %v of %v, %t", key, user, ok)
	}
	o.Used(id, Use{At: noon.Add(time.Minute), Service: "sts", Region: "us-west-2"})
	o.run(t, []step{
		{"GetAccessKeyLastUsed AccessKeyId=" + id, "<LastUsedDate>2026-11-23T12:01:00Z</LastUsedDate><ServiceName>sts</ServiceName><Region>us-west-2</Region>"},
		{"DeleteAccessKey UserName=ann AccessKeyId=" + id, ""},
		{"CreateAccessKey UserName=ann", "<Status>Active</Status>"},
	})
	if _, _, ok := o.Key(id, noon); ok {
		t.Error("a deleted key is known")
	}
	roundTrip(t, o.State)
}

// A user who names nobody means herself.
func TestOwnKeys(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.must(t, "CreateUser", "UserName", "ann")
	o.caller.User, o.caller.Role = "ann", ""
	id := element(o.must(t, "CreateAccessKey"), "AccessKeyId")
	o.must(t, "UpdateAccessKey", "AccessKeyId", id, "Status", "Inactive")
	if got := element(o.must(t, "ListAccessKeys"), "Status"); got != "Inactive" {
		t.Errorf("the key is %s", got)
	}
	o.must(t, "DeleteAccessKey", "AccessKeyId", id)
	if got := element(o.must(t, "GetUser"), "UserName"); got != "ann" {
		t.Errorf("she is %s", got)
	}
}

// A key is unknown to others for a while after it was made.
func TestPropagation(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.Options.Propagation = 10 * time.Second
	o.must(t, "CreateUser", "UserName", "ann")
	id := element(o.must(t, "CreateAccessKey", "UserName", "ann"), "AccessKeyId")
	o.must(t, "CreateInstanceProfile", "InstanceProfileName", "web")
	for _, tt := range []struct {
		age  time.Duration
		want bool
	}{{0, false}, {9 * time.Second, false}, {10 * time.Second, true}} {
		_, _, key := o.Key(id, noon.Add(tt.age))
		_, profile := o.Service.InstanceProfile("web", noon.Add(tt.age))
		if key != tt.want || profile != tt.want {
			t.Errorf("after %v: the key is known %t, the profile %t", tt.age, key, profile)
		}
	}
}
