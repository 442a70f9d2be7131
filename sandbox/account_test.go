package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"tegata/awsfake"
	"tegata/awsfake/ec2"
	"tegata/imds"
)

// administrator is a scenario whose role may do anything.
const administrator = `
imds: {tokens: optional}
role:
  policies:
    all: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
`

const sample = "i-0a1b2c3d4e5f60718" // of the default scenario

// signedCall is a request of the query protocols.
func signedCall(t *testing.T, endpoint string, with aws.Credentials, service, query string) *http.Request {
	t.Helper()
	version, region := "2016-11-15", "ap-northeast-1"
	if service == "iam" {
		version, region = "2010-05-08", "us-east-1"
	}
	body := query + "&Version=" + version
	req, err := http.NewRequestWithContext(t.Context(), "POST", endpoint+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), with, req, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return req
}

// query sends a request with the credentials and returns the answer.
func (r running) query(t *testing.T, with aws.Credentials, service, query string) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(signedCall(t, r.aws, with, service, query))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// must is a call that AWS does, with the credentials of the instance.
func (r running) must(t *testing.T, with aws.Credentials, service, query string) string {
	t.Helper()
	status, body := r.query(t, with, service, query)
	if status != 200 {
		t.Fatalf("%s: %d %s", query, status, body)
	}
	return body
}

func (r running) held(t *testing.T) aws.Credentials {
	t.Helper()
	c, err := r.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plain reads metadata as IMDSv1.
func (r running) plain(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get(r.imds.Endpoint + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// between is what stands between two texts.
func between(t *testing.T, body, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, before)
	found, _, closed := strings.Cut(rest, after)
	if !ok || !closed {
		t.Fatalf("no %s…%s in %s", before, after, body)
	}
	return found
}

// An instance profile comes and goes by the API, and the metadata with it.
func TestProfileByAPI(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, administrator))
	held := r.held(t)
	const list = "/latest/meta-data/iam/security-credentials/"
	id := between(t, r.must(t, held, "ec2", "Action=DescribeIamInstanceProfileAssociations"), "<associationId>", "<")
	r.must(t, held, "ec2", "Action=DisassociateIamInstanceProfile&AssociationId="+id)
	if status, body := r.plain(t, list); status != 404 {
		t.Errorf("without a profile: %d %s", status, body)
	}
	trust := url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	for _, query := range []string{
		"Action=CreateRole&RoleName=worker&AssumeRolePolicyDocument=" + trust,
		"Action=CreateInstanceProfile&InstanceProfileName=work&Path=/x/",
		"Action=AddRoleToInstanceProfile&InstanceProfileName=work&RoleName=worker",
	} {
		r.must(t, held, "iam", query)
	}
	r.must(t, held, "ec2", "Action=AssociateIamInstanceProfile&IamInstanceProfile.Name=work&InstanceId="+sample)
	if _, body := r.plain(t, list); body != "worker" {
		t.Errorf("the role is %s", body)
	}
	if _, body := r.plain(t, "/latest/meta-data/iam/info"); !strings.Contains(body, `"InstanceProfileArn" : "arn:aws:iam::123456789012:instance-profile/x/work"`) {
		t.Errorf("the profile is %s", body)
	}
	out, err := r.identity(t.Context())
	if want := "arn:aws:sts::123456789012:assumed-role/worker/" + sample; err != nil || *out.Arn != want {
		t.Fatalf("%v, want %s: %v", out, want, err)
	}
	status, body := r.query(t, r.held(t), "ec2", "Action=CreateTags&Tag.1.Key=a&ResourceId.1="+sample)
	if status != 403 || !strings.Contains(body, "<Code>UnauthorizedOperation</Code>") || !strings.Contains(body, "Encoded authorization failure message: ") {
		t.Errorf("without a policy: %d %s", status, body)
	}
}

// What becomes of an instance whose role is taken away, bit by bit.
func TestRoleGoneByAPI(t *testing.T) {
	t.Parallel()
	const role, profile = "bedrock-ui-ec2-role", "bedrock-ui-ec2-role"
	const document = "/latest/meta-data/iam/security-credentials/" + role
	r := runScenario(t, parse(t, administrator+"\nparameters: {}\n"))
	held := r.held(t)
	distrust := url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	r.must(t, held, "iam", "Action=UpdateAssumeRolePolicy&RoleName="+role+"&PolicyDocument="+distrust)
	if _, body := r.plain(t, document); !strings.Contains(body, `"Code" : "AssumeRoleUnauthorizedAccess"`) {
		t.Errorf("without trust: %s", body)
	}
	if _, body := r.plain(t, "/latest/meta-data/iam/info"); !strings.Contains(body, `"Code" : "Success"`) {
		t.Errorf("without trust: %s", body)
	}
	r.must(t, held, "iam", "Action=RemoveRoleFromInstanceProfile&RoleName="+role+"&InstanceProfileName="+profile)
	if status, body := r.plain(t, document); status != 404 {
		t.Errorf("without a role: %d %s", status, body)
	}
	if _, body := r.plain(t, "/latest/meta-data/iam/info"); !strings.Contains(body, `"Message" : "Instance Profile does not contain a role.`) {
		t.Errorf("without a role: %s", body)
	}
	r.must(t, held, "iam", "Action=DeleteInstanceProfile&InstanceProfileName="+profile)
	if _, body := r.plain(t, "/latest/meta-data/iam/info"); !strings.Contains(body, `"Code" : "InstanceProfileNotFound"`) {
		t.Errorf("without a profile: %s", body)
	}
}

// The credentials of a role end with it, even if another takes its name.
func TestRoleMadeAgain(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, administrator))
	held := r.held(t)
	trust := url.QueryEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	id := between(t, r.must(t, held, "ec2", "Action=DescribeIamInstanceProfileAssociations"), "<associationId>", "<")
	makeRole := func() {
		r.must(t, held, "iam", "Action=CreateRole&RoleName=worker&AssumeRolePolicyDocument="+trust)
		r.must(t, held, "iam", "Action=AddRoleToInstanceProfile&InstanceProfileName=work&RoleName=worker")
	}
	r.must(t, held, "iam", "Action=CreateInstanceProfile&InstanceProfileName=work")
	makeRole()
	r.must(t, held, "ec2", "Action=ReplaceIamInstanceProfileAssociation&IamInstanceProfile.Name=work&AssociationId="+id)
	first := r.held(t)
	if status, body := r.query(t, first, "ec2", "Action=DescribeRegions"); status != 403 || !strings.Contains(body, "assumed-role/worker/") {
		t.Errorf("the role's own: %d %s", status, body)
	}
	r.must(t, held, "iam", "Action=RemoveRoleFromInstanceProfile&InstanceProfileName=work&RoleName=worker")
	r.must(t, held, "iam", "Action=DeleteRole&RoleName=worker")
	makeRole()
	if second := r.held(t); second.AccessKeyID == first.AccessKeyID {
		t.Error("the new role has the credentials of the old one")
	}
	if status, body := r.query(t, first, "ec2", "Action=DescribeRegions"); status != 401 || !strings.Contains(body, "AuthFailure") {
		t.Errorf("the old role's: %d %s", status, body)
	}
}

// Options of the metadata service, its tags, and a dry run.
func TestOptionsByAPI(t *testing.T) {
	t.Parallel()
	const modify = "Action=ModifyInstanceMetadataOptions&InstanceId=" + sample
	r := runScenario(t, parse(t, administrator))
	held := r.held(t)
	token := func() error {
		fresh := &imds.Client{Endpoint: r.imds.Endpoint}
		defer fresh.Close()
		_, err := fresh.InstanceID(t.Context())
		return err
	}
	v1 := func() int { status, _ := r.plain(t, "/latest/meta-data/instance-id"); return status }
	if got := v1(); got != 200 {
		t.Fatalf("at first: %d", got)
	}
	if status, body := r.query(t, held, "ec2", modify+"&HttpTokens=required&DryRun=true"); status != 412 || v1() != 200 {
		t.Errorf("tried: %d %s; v1 is answered with %d", status, body, v1())
	}
	r.must(t, held, "ec2", modify+"&HttpTokens=required")
	if err := token(); err != nil || v1() != 401 {
		t.Errorf("required: %v; v1 is answered with %d", err, v1())
	}
	r.must(t, held, "ec2", modify+"&HttpEndpoint=disabled")
	if err := token(); !errors.Is(err, imds.ErrDisabled) {
		t.Errorf("disabled: %v", err)
	}
	r.must(t, held, "ec2", modify+"&HttpEndpoint=enabled&HttpTokens=optional&InstanceMetadataTags=enabled")
	r.must(t, held, "ec2", "Action=CreateTags&Tag.1.Key=Stage&Tag.1.Value=test&ResourceId.1="+sample)
	if _, body := r.plain(t, "/latest/meta-data/tags/instance/Stage"); body != "test" {
		t.Errorf("the new tag is %s", body)
	}
	r.must(t, held, "ec2", "Action=DeleteTags&Tag.1.Key=Stage&ResourceId.1="+sample)
	if _, body := r.plain(t, "/latest/meta-data/tags/instance"); body != "Environment\nName" {
		t.Errorf("the tags are %q", body)
	}
	if err := r.sandbox.Switch("imds-disabled"); err != nil || !errors.Is(token(), imds.ErrDisabled) {
		t.Errorf("switched on: %v, %v", err, token())
	}
	if err := r.sandbox.Switch(); err != nil || token() != nil {
		t.Errorf("switched off: %v, %v", err, token())
	}
	if status, _ := r.plain(t, "/latest/meta-data/tags/instance/Name"); status != 404 {
		t.Errorf("the tags are told again: %d", status)
	}
}

// The endpoint in IPv6 opens and shuts by the API.
func TestIPv6ByAPI(t *testing.T) {
	t.Parallel()
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	s := parse(t, administrator)
	l := Listeners{IMDS: []net.Listener{listenOn(t, "127.0.0.1:0"), six}, AWS: listenOn(t, "127.0.0.1:0")}
	b, err := s.Start(l)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := running{s, &imds.Client{Endpoint: "http://" + l.IMDS[0].Addr().String()}, "http://" + l.AWS.Addr().String(), b}
	defer r.imds.Close()
	held := r.held(t)
	answers := func() bool {
		resp, err := http.Get("http://" + six.Addr().String() + "/latest/meta-data/instance-id")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}
	for _, tt := range []struct {
		set  string
		want bool
	}{{"enabled", true}, {"disabled", false}, {"enabled", true}} {
		r.must(t, held, "ec2", "Action=ModifyInstanceMetadataOptions&InstanceId="+sample+"&HttpProtocolIpv6="+tt.set)
		if got := answers(); got != tt.want {
			t.Errorf("%s: answers %v", tt.set, got)
		}
	}
}

// A policy can tell credentials that were handed out to IMDSv1.
func TestRoleDelivery(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, administrator+`
    v2: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "*", Resource: "*", Condition: {NumericLessThan: {"ec2:RoleDelivery": "2.0"}}}]}
`))
	_, text := r.plain(t, "/latest/meta-data/iam/security-credentials/bedrock-ui-ec2-role")
	c, err := imds.ParseCredentials([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	bare := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.Token.Reveal()}
	if status, body := r.query(t, bare, "ec2", "Action=DescribeRegions"); status != 403 || !strings.Contains(body, "explicit deny") {
		t.Errorf("handed out without a token: %d %s", status, body)
	}
	r.must(t, r.held(t), "ec2", "Action=DescribeRegions")
}

// The metadata follows after the delays of the scenario, by itself.
func TestDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, err := parse(t, administrator+"\ndelays: {metadata_options: 3s, instance_profile: 5s}\n").join(Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.serving.Wait()
		defer b.stopFollowing()
		read := func(path string) (int, string) {
			w := httptest.NewRecorder()
			b.imds.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			return w.Code, w.Body.String()
		}
		_, text := read("/latest/meta-data/iam/security-credentials/bedrock-ui-ec2-role")
		c, err := imds.ParseCredentials([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		with := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.Token.Reveal()}
		call := func(query string) string {
			w := httptest.NewRecorder()
			b.serveAWS(w, signedCall(t, "http://x", with, "ec2", query))
			if w.Code != 200 {
				t.Fatalf("%s: %d %s", query, w.Code, w.Body)
			}
			return w.Body.String()
		}
		id := between(t, call("Action=DescribeIamInstanceProfileAssociations"), "<associationId>", "<")
		call("Action=ModifyInstanceMetadataOptions&InstanceMetadataTags=enabled&InstanceId=" + sample)
		call("Action=DisassociateIamInstanceProfile&AssociationId=" + id)
		began := time.Now()
		for _, tt := range []struct {
			after      time.Duration
			tags, role int
		}{
			{3*time.Second - 100*time.Millisecond, 404, 200},
			{3 * time.Second, 200, 200},
			{5*time.Second - 100*time.Millisecond, 200, 200},
			{5 * time.Second, 200, 404},
		} {
			time.Sleep(tt.after - time.Since(began))
			synctest.Wait()
			tags, _ := read("/latest/meta-data/tags/instance/Name")
			if role, _ := read("/latest/meta-data/iam/info"); tags != tt.tags || role != tt.role {
				t.Errorf("after %v: tags %d, role %d, want %d and %d", tt.after, tags, role, tt.tags, tt.role)
			}
		}
		call("Action=ModifyInstanceMetadataOptions&InstanceMetadataTags=disabled&InstanceId=" + sample)
		b.stopFollowing() // the change that waits is waited for by nobody
		b.serving.Wait()
	})
}

// While faults are switched and the API changes things, nobody waits for
// anybody for ever, and in the end the metadata says what the account says.
func TestChangesWhileSwitching(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, administrator+"\ndelays: {metadata_options: 2ms}\n"))
	held := r.held(t)
	var changing sync.WaitGroup
	for n := range 4 {
		changing.Go(func() {
			for range 20 {
				r.query(t, held, "ec2", "Action=ModifyInstanceMetadataOptions&InstanceId="+sample+"&HttpTokens="+[]string{"optional", "required"}[n%2])
				r.query(t, held, "ec2", fmt.Sprintf("Action=CreateTags&Tag.1.Key=n%d&ResourceId.1=%s", n, sample))
			}
		})
	}
	for range 20 {
		for _, faults := range [][]string{{"hop-limit"}, nil} {
			if err := r.sandbox.Switch(faults...); err != nil {
				t.Error(err)
			}
		}
	}
	changing.Wait()
	r.must(t, held, "ec2", "Action=ModifyInstanceMetadataOptions&InstanceId="+sample+"&HttpTokens=required")
	for status := 0; status != 401 && t.Context().Err() == nil; {
		status, _ = r.plain(t, "/latest/meta-data/instance-id")
	}
}

// What is completed of an instance is what EC2 tells.
func TestAccountOfScenario(t *testing.T) {
	t.Parallel()
	s := parse(t, "instance: {public_ip: 203.0.113.5, lifecycle: spot, launched: 2026-01-02T03:04:05Z}\n")
	b, err := s.join(Options{})
	if err != nil {
		t.Fatal(err)
	}
	state := s.account(b.imds.Instance(), b.begun)
	want := &ec2.Instance{
		ID: sample, State: "running", Type: "t3.medium", Architecture: "x86_64", Reservation: "r-0123456789abcdef0", Lifecycle: "spot",
		Launched: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Image: "ami-0b2c3d4e5f6071829", RootDevice: "/dev/xvda",
		Volumes: map[string]string{"/dev/xvda": "vol-0a1b2c3d4e5f60718"}, Zone: "ap-northeast-1a", ZoneID: "apne1-az1",
		PrivateIP: "10.0.1.23", PublicIP: "203.0.113.5", PrivateDNS: "ip-10-0-1-23.ap-northeast-1.compute.internal",
		PublicDNS: "ec2-203-0-113-5.ap-northeast-1.compute.amazonaws.com", MAC: "06:1a:2b:3c:4d:5e", Interface: "eni-0123456789abcdef0",
		Subnet: "subnet-0c3d4e5f60718293a", SubnetCIDR: "10.0.1.0/24", VPC: "vpc-0d4e5f60718293a4b", VPCCIDR: "10.0.0.0/16",
		SecurityGroups: []ec2.SecurityGroup{{ID: "sg-0123456789abcdef0", Name: "default"}}, Tags: map[string]string{"Name": "bedrock-ui", "Environment": "demo"},
		MetadataOptions:    ec2.MetadataOptions{HTTPTokens: "required", HTTPEndpoint: "enabled", HTTPPutResponseHopLimit: 2, HTTPProtocolIPv6: "enabled", InstanceMetadataTags: "disabled"},
		MetadataOptionsWas: ec2.MetadataOptions{HTTPTokens: "required", HTTPEndpoint: "enabled", HTTPPutResponseHopLimit: 2, HTTPProtocolIPv6: "enabled", InstanceMetadataTags: "disabled"},
	}
	if diff := cmp.Diff(want, state.EC2.Regions["ap-northeast-1"].Instances[sample]); diff != "" {
		t.Error(diff)
	}
	text, err := awsfake.New(awsfake.Options{State: state}).Save()
	if err != nil {
		t.Fatal(err)
	}
	again, err := awsfake.LoadState(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(state, again); diff != "" {
		t.Errorf("written and read:\n%s", diff)
	}
}

// What an account has become is there again after the next start.
func TestKeptAccount(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "account.json")
	start := func() *Sandbox {
		t.Helper()
		b, err := Default().join(Options{State: path})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := start()
	before, err := first.aws.Load().Save()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start()
	after, err := second.aws.Load().Save()
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v: the account has changed on the way\n%s", err, cmp.Diff(string(before), string(after)))
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	elsewhere := parse(t, "instance: {id: i-00000000000000001}")
	if _, err := elsewhere.join(Options{State: path}); err == nil || !strings.Contains(err.Error(), "it has no instance i-00000000000000001 in ap-northeast-1") {
		t.Errorf("the account of another instance: %v", err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Default().join(Options{State: path}); err == nil || !strings.Contains(err.Error(), "take up the account in "+path) {
		t.Errorf("half a file: %v", err)
	}
}
