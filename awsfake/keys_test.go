package awsfake

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tegata/awsfake/iam"
	"tegata/awsfake/sts"
)

// ann is a user with a key.
var (
	annsKey = aws.Credentials{AccessKeyID: "AKIAANN0000000000000", SecretAccessKey: "annssecret"}
	session = aws.Credentials{AccessKeyID: "ASIAANN0000000000000", SecretAccessKey: "sessionsecret", SessionToken: "sessiontoken"}
)

// accountOfAnn has her, her key and a session of hers.
func accountOfAnn(change func(*State)) func(*Options) {
	return func(o *Options) {
		o.State = new(State)
		in := iam.Account{ID: account}
		ann := o.State.IAM.PutUser(in, iam.User{Identity: iam.Identity{Name: "ann"}})
		o.State.IAM.PutKey(iam.Key{ID: annsKey.AccessKeyID, Secret: iam.Secret(annsKey.SecretAccessKey), User: "ann", Created: time.Now().Add(-time.Hour)})
		o.State.STS.Sessions = map[string]*sts.Session{session.AccessKeyID: {
			SecretAccessKey: session.SecretAccessKey, SessionToken: session.SessionToken, Expires: time.Now().Add(time.Hour),
			ARN: ann.ARN, UserID: ann.ID, User: "ann",
		}}
		if change != nil {
			change(o.State)
		}
	}
}

// Each way in which keys fail has its own code and text, and services differ
// in both.
func TestKeysFail(t *testing.T) {
	t.Parallel()
	without := session
	without.SessionToken = ""
	const unknown = "The security token included in the request is invalid."
	for _, tt := range []struct {
		name             string
		change           func(*State)
		delays           Delays
		key              aws.Credentials
		skew             time.Duration
		sts, ssm, ec2    string // codes
		stsText, ssmText string
	}{
		{name: "good", key: annsKey},
		{name: "a session", key: session},
		{name: "inactive", key: annsKey, change: func(s *State) { s.IAM.Keys[annsKey.AccessKeyID].Inactive = true },
			sts: "InvalidClientTokenId", ssm: "UnrecognizedClientException", ec2: "AuthFailure", stsText: unknown, ssmText: unknown},
		{name: "deleted", key: annsKey, change: func(s *State) { delete(s.IAM.Keys, annsKey.AccessKeyID) },
			sts: "InvalidClientTokenId", ssm: "UnrecognizedClientException", ec2: "AuthFailure", stsText: unknown, ssmText: unknown},
		{name: "of a deleted user", key: session, change: func(s *State) { delete(s.IAM.Users, "ann") },
			sts: "InvalidClientTokenId", ssm: "UnrecognizedClientException", ec2: "AuthFailure", stsText: unknown, ssmText: unknown},
		{name: "too young", key: annsKey, delays: Delays{IAM: 2 * time.Hour},
			sts: "InvalidClientTokenId", ssm: "UnrecognizedClientException", ec2: "AuthFailure", stsText: unknown, ssmText: unknown},
		{name: "old enough", key: annsKey, delays: Delays{IAM: 59 * time.Minute}},
		{name: "without its token", key: without,
			sts: "InvalidClientTokenId", ssm: "UnrecognizedClientException", ec2: "AuthFailure", stsText: unknown, ssmText: unknown},
		{name: "expired", key: session, change: func(s *State) { s.STS.Sessions[session.AccessKeyID].Expires = time.Now().Add(-time.Second) },
			sts: "ExpiredToken", ssm: "ExpiredTokenException", ec2: "RequestExpired",
			stsText: "The security token included in the request is expired", ssmText: "The security token included in the request is expired"},
		{name: "a wrong secret", key: aws.Credentials{AccessKeyID: annsKey.AccessKeyID, SecretAccessKey: "wrong"},
			sts: "SignatureDoesNotMatch", ssm: "InvalidSignatureException", ec2: "AuthFailure",
			stsText: "The request signature we calculated does not match the signature you provided.", ssmText: "The request signature we calculated"},
		{name: "a clock that is behind", key: annsKey, skew: -20 * time.Minute,
			sts: "SignatureDoesNotMatch", ssm: "InvalidSignatureException", ec2: "AuthFailure", stsText: "Signature expired: ", ssmText: "Signature expired: "},
		{name: "a clock that is ahead", key: annsKey, skew: 20 * time.Minute,
			sts: "SignatureDoesNotMatch", ssm: "InvalidSignatureException", ec2: "AuthFailure", stsText: "Signature not yet current: ", ssmText: "Signature not yet current: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(o *Options) { accountOfAnn(tt.change)(o); o.Delays = tt.delays })
			form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
			at := time.Now().Add(tt.skew)
			calls := []struct {
				service, code, text string
				in                  exchange
			}{
				{"sts", tt.sts, tt.stsText, exchange{service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15", header: form}},
				{"ssm", tt.ssm, tt.ssmText, exchange{service: "ssm", body: `{"Name":"/none"}`, header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter"}}},
				{"ec2", tt.ec2, "", exchange{service: "ec2", body: "Action=DescribeRegions&Version=2016-11-15", header: form}},
			}
			for _, call := range calls {
				call.in.method, call.in.path, call.in.key, call.in.at = "POST", "/", tt.key, at
				got := b.do(t, call.in)
				if call.code == "" { // whoever is known may be refused, but not for the key
					if strings.Contains(got.body, "ClientToken") || strings.Contains(got.body, "Signature") || strings.Contains(got.body, "AuthFailure") {
						t.Errorf("%s: %d %s", call.service, got.status, got.body)
					}
					continue
				}
				if !strings.Contains(got.body, call.code) || !strings.Contains(got.body, call.text) || got.status < 400 {
					t.Errorf("%s: got %d %s, want %s: %s", call.service, got.status, got.body, call.code, call.text)
				}
			}
		})
	}
}

// The last use of a key is told, of a key that is refused too little to know
// it is not.
func TestLastUse(t *testing.T) {
	t.Parallel()
	var state *State
	b := start(t, func(o *Options) { accountOfAnn(nil)(o); state = o.State })
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	ask := exchange{service: "sts", method: "POST", path: "/", key: annsKey, header: form, region: "eu-west-1",
		body: url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}.Encode()}
	if got := b.do(t, ask); got.status != http.StatusOK || !strings.Contains(got.body, ":user/ann<") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	use := state.IAM.Keys[annsKey.AccessKeyID].LastUse
	if use.Service != "sts" || use.Region != "eu-west-1" || time.Since(use.At) > time.Minute {
		t.Errorf("%+v", use)
	}
	state.IAM.Keys[annsKey.AccessKeyID].LastUse = iam.Use{}
	ask.key.SecretAccessKey = "wrong"
	b.do(t, ask)
	if use := state.IAM.Keys[annsKey.AccessKeyID].LastUse; use != (iam.Use{}) {
		t.Errorf("a wrong secret was a use: %+v", use)
	}
}
