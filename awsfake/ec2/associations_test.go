package ec2

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/policy"
)

const (
	associate = "Action=AssociateIamInstanceProfile&InstanceId=" + instance
	describe  = "Action=DescribeIamInstanceProfileAssociations"
)

func TestAssociate(t *testing.T) {
	t.Parallel()
	l := newLab()
	got := l.must(t, associate+"&IamInstanceProfile.Name=app")
	id := element(t, got, "associationId")
	if len(id) != len("iip-assoc-0123456789abcdef0") || !strings.HasPrefix(id, "iip-assoc-0") {
		t.Errorf("id %s", id)
	}
	told := func(state string) string {
		return "<associationId>" + id + "</associationId><instanceId>" + instance + "</instanceId><iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/app</arn><id>AIPAAPP</id></iamInstanceProfile>" +
			"<state>" + state + "</state><timestamp>2026-11-23T04:00:00Z</timestamp>"
	}
	if want := "<iamInstanceProfileAssociation>" + told("associating") + "</iamInstanceProfileAssociation>"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	all := "<iamInstanceProfileAssociationSet><item>" + told("associated") + "</item></iamInstanceProfileAssociationSet>"
	const none = "<iamInstanceProfileAssociationSet></iamInstanceProfileAssociationSet>"
	l.check(t, []exchange{
		{"all", describe, 200, all},
		{"by id", describe + "&AssociationId.1=" + id, 200, all},
		{"by instance", describe + "&Filter.1.Name=instance-id&Filter.1.Value.1=" + instance, 200, all},
		{"by state", describe + "&Filter.1.Name=state&Filter.1.Value.1=associating", 200, none},
		{"by another id", describe + "&AssociationId.1=iip-assoc-0", 400, "InvalidAssociationID.NotFound: An invalid association-id of 'iip-assoc-0' was given"},
		{"by no id", describe + "&AssociationId.1=" + instance, 400, "InvalidParameterValue: Invalid value for associationId."},
		{"by no filter", describe + "&Filter.1.Name=arn&Filter.1.Value.1=x", 400, "InvalidParameterValue: The filter 'arn' is invalid"},
		{"on the instance", "Action=DescribeInstances&Filter.1.Name=iam-instance-profile.arn&Filter.1.Value.1=*/app", 200,
			"…<iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/app</arn><id>AIPAAPP</id></iamInstanceProfile>…"},
		{"a second one", associate + "&IamInstanceProfile.Name=other", 400, "IncorrectState: There is an existing association for instance " + instance},
		{"end", "Action=DisassociateIamInstanceProfile&AssociationId=" + id, 200, "<iamInstanceProfileAssociation>" + told("disassociating") + "</iamInstanceProfileAssociation>"},
		{"end again", "Action=DisassociateIamInstanceProfile&AssociationId=" + id, 400, "InvalidAssociationID.NotFound: An invalid association-id of '" + id + "' was given"},
		{"none", describe, 200, none},
		{"by ARN", associate + "&IamInstanceProfile.Arn=arn:aws:iam::123456789012:instance-profile/other", 200, "…<id>AIPAOTHER</id>…"},
	})
}

func TestAssociateRefused(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.check(t, []exchange{
		{"no instance", "Action=AssociateIamInstanceProfile&IamInstanceProfile.Name=app", 400, "MissingParameter: The request must contain the parameter InstanceId"},
		{"unknown instance", "Action=AssociateIamInstanceProfile&IamInstanceProfile.Name=app&InstanceId=i-12345678", 400, "InvalidInstanceID.NotFound: The instance ID 'i-12345678' does not exist"},
		{"no profile", associate, 400, "MissingParameter: The request must contain the parameter IamInstanceProfile"},
		{"both", associate + "&IamInstanceProfile.Name=app&IamInstanceProfile.Arn=x", 400, "…InvalidParameterCombination: …"},
		{"unknown name", associate + "&IamInstanceProfile.Name=ap", 400, "InvalidParameterValue: Value (ap) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"},
		{"an ARN as a name", associate + "&IamInstanceProfile.Name=arn:aws:iam::123456789012:instance-profile/app", 400,
			"InvalidParameterValue: Value (arn:aws:iam::123456789012:instance-profile/app) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"},
		{"a role's ARN", associate + "&IamInstanceProfile.Arn=arn:aws:iam::123456789012:role/app", 400,
			"InvalidParameterValue: Value (arn:aws:iam::123456789012:role/app) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN"},
		{"replace nothing", "Action=ReplaceIamInstanceProfileAssociation&IamInstanceProfile.Name=app&AssociationId=iip-assoc-0", 400,
			"InvalidAssociationID.NotFound: An invalid association-id of 'iip-assoc-0' was given"},
		{"end nothing", "Action=DisassociateIamInstanceProfile", 400, "MissingParameter: The request must contain the parameter AssociationId"},
	})
	if len(l.State.Regions[region].Associations) != 0 {
		t.Error("a refused call made an association")
	}
}

// Who gives a role to an instance needs iam:PassRole on that very role.
func TestPassRole(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.policies = []policy.Document{document(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ec2:AssociateIamInstanceProfile","Resource":"arn:aws:ec2:ap-northeast-1:123456789012:instance/i-0123456789abcdef0"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::123456789012:role/app-role","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}]}`)}
	l.check(t, []exchange{
		{"another role", associate + "&IamInstanceProfile.Name=other", 403, "UnauthorizedOperation: no iam:PassRole on arn:aws:iam::123456789012:role/other-role"},
		{"the role", associate + "&IamInstanceProfile.Name=app", 200, "…<state>associating</state>…"},
		{"end it", "Action=DisassociateIamInstanceProfile&AssociationId=iip-assoc-0", 403, "UnauthorizedOperation: no ec2:DisassociateIamInstanceProfile on arn:aws:ec2:ap-northeast-1:123456789012:instance/*"},
	})
}

// A profile that was made a moment ago is not known yet.
func TestProfilePropagation(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.now = start.Add(10*time.Second - 1)
	l.check(t, []exchange{{"too early", associate + "&IamInstanceProfile.Name=young", 400,
		"InvalidParameterValue: Value (young) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"}})
	l.now = start.Add(10 * time.Second)
	l.must(t, associate+"&IamInstanceProfile.Name=young")
}

// What the metadata tells follows after a while, and replacing leaves no gap.
func TestAssociationsTakeTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab()
		l.Service.Options.Associate = 4 * time.Second
		met := func() string {
			m, _ := l.Metadata(region, instance, l.now)
			name := "none"
			if m.Profile != nil {
				name = m.Profile.Name
			}
			if m.Next.IsZero() {
				return name
			}
			return name + " for " + m.Next.Sub(l.now).String()
		}
		wait := func(d time.Duration) { time.Sleep(d); l.now = time.Now().UTC() }
		wait(0)
		var got []string
		see := func() { got = append(got, met()) }
		see()
		id := element(t, l.must(t, associate+"&IamInstanceProfile.Name=app"), "associationId")
		see()
		wait(3 * time.Second)
		see()
		wait(time.Second)
		see()
		next := element(t, l.must(t, "Action=ReplaceIamInstanceProfileAssociation&IamInstanceProfile.Name=other&AssociationId="+id), "associationId")
		see()
		l.check(t, []exchange{
			{"the old one goes", describe + "&AssociationId.1=" + id, 200, "…<state>disassociating</state>…"},
			{"replaced twice", "Action=ReplaceIamInstanceProfileAssociation&IamInstanceProfile.Name=app&AssociationId=" + id, 400,
				"IncorrectState: The association " + id + " is not the active association"},
		})
		wait(4 * time.Second)
		see()
		l.must(t, "Action=DisassociateIamInstanceProfile&AssociationId="+next)
		see()
		l.check(t, []exchange{{"too early", associate + "&IamInstanceProfile.Name=app", 400, "IncorrectState: There is an existing association for instance " + instance}})
		wait(4 * time.Second)
		see()
		want := []string{"none", "none for 4s", "none for 1s", "app", "app for 4s", "other", "other for 4s", "none"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What becomes of a profile whose parts are gone.
func TestProfileStates(t *testing.T) {
	t.Parallel()
	app := profileNamed("app")
	untrusted, empty, again := app, app, app
	role := *app.Role
	role.Trust = document(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	untrusted.Role, empty.Role, again.ID = &role, nil, "AIPAAGAIN"
	whole := Profile{ARN: app.ARN, ID: app.ID, Name: "app", Role: "app-role", RoleARN: app.Role.ARN, RoleID: app.Role.ID}
	refused, bare, gone := whole, whole, whole
	refused.State = Untrusted
	bare.Role, bare.RoleARN, bare.RoleID, bare.State = "", "", "", Empty
	gone.Role, gone.RoleARN, gone.RoleID, gone.State = "", "", "", Gone
	for _, tt := range []struct {
		name string
		now  profiles
		want Profile
	}{
		{"whole", profiles{"app": app}, whole},
		{"its role does not trust EC2", profiles{"app": untrusted}, refused},
		{"its role was taken out", profiles{"app": empty}, bare},
		{"deleted", profiles{}, gone},
		{"made again", profiles{"app": again}, gone},
	} {
		l := newLab()
		l.State.Associate(region, instance, app, start)
		l.Directory = tt.now
		got, _ := l.Metadata(region, instance, start)
		if diff := cmp.Diff(&tt.want, got.Profile); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

func TestStoppedInstanceKeepsItsProfile(t *testing.T) {
	t.Parallel()
	l := newLab()
	a := l.State.Associate(region, instance, l.profiles["app"], start)
	l.State.Region(region).Instances[instance].State = "stopped"
	l.check(t, []exchange{{"replace", "Action=ReplaceIamInstanceProfileAssociation&IamInstanceProfile.Name=other&AssociationId=" + a.ID, 400,
		"IncorrectState: The association " + a.ID + " is not the active association"}})
}
