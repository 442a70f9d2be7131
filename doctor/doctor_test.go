package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tegata/internal/message"
	"tegata/internal/report"
)

// examine runs all checks on a world in a bubble, and stops the world.
func examine(t *testing.T, w *world) (r report.Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { r = Run(t.Context(), w.host(t), Checks()) })
	return r
}

func rootOf(r report.Report) string {
	if root := r.Root(); root != nil {
		return root.Finding.ID
	}
	return ""
}

func text(t *testing.T, r report.Report, l message.Lang) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Text(&b, l); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHealthy(t *testing.T) {
	w := healthy()
	r := examine(t, w)
	if !r.Healthy() {
		t.Fatalf("a healthy world is not:\n%s", text(t, r, message.English))
	}
	for _, s := range r.Steps {
		if s.Status != report.Passed && s.Name != "containers" {
			t.Errorf("%s is %s: %v", s.Name, s.Status, s.Facts)
		}
	}
	// A GET without a token would count as a version 1 call.
	if w.requests[0] != "PUT /latest/api/token" {
		t.Errorf("first request %s", w.requests[0])
	}
	if all := slices.Sorted(slices.Values(w.requests)); len(slices.Compact(all)) != len(w.requests) {
		t.Errorf("asked more than once for the same: %v", all)
	}
}

// Whether the token is refused at once or late, one plain GET is sent to learn
// more, and no second one.
func TestOnePlainGET(t *testing.T) {
	for _, late := range []time.Duration{0, patience / 2, patience - 1, patience + 1, 2 * patience} {
		w := healthy()
		w.replies["PUT *"] = func(rw http.ResponseWriter, r *http.Request) { sleep(r.Context(), late); rw.WriteHeader(403) }
		if got := rootOf(examine(t, w)); got != "TG2012" {
			t.Errorf("refused after %v: root %q", late, got)
		}
		if want := []string{"GET " + instanceIDPath, "PUT " + tokenPath}; !slices.Equal(slices.Sorted(slices.Values(w.requests)), want) {
			t.Errorf("refused after %v: requests %v", late, w.requests)
		}
	}
}

// What fails fast is told fast: nothing is tried again.
func TestFailsAtOnce(t *testing.T) {
	for _, f := range faults {
		if f.name != "model throttled" && f.name != "STS fails" && f.name != "list fails" {
			continue
		}
		w := healthy()
		f.spoil(w)
		if r := examine(t, w); r.Elapsed > 100*time.Millisecond {
			t.Errorf("%s: took %v", f.name, r.Elapsed)
		}
	}
}

const composeFileText = `services:
  backend:
    image: bedrock-ui-backend
    environment:
      AWS_REGION: ${AWS_REGION}
    ports:
      - "8000:8000"
`

const streamCall = "POST /model/" + testModel + "/converse-stream"

// Every fault by itself: the id that has to be read first, and words that
// the text must hold as evidence or remedy.
var faults = []struct {
	name  string
	spoil func(w *world)
	want  string
	words []string
}{
	{"hop limit", func(w *world) { w.replies["PUT /latest/api/token"] = hang }, "TG2003",
		[]string{"0 bytes in 2700 ms", "status 401", "--http-put-response-hop-limit 2 --http-endpoint enabled --region ap-northeast-1"}},
	{"hop limit, v1 allowed", func(w *world) {
		w.replies["PUT /latest/api/token"] = hang
		w.replies["GET "+instanceIDPath] = body("i-0123456789abcdef0")
	}, "TG2003", []string{"--instance-id i-0123456789abcdef0 "}},
	{"metadata disabled", func(w *world) {
		w.replies["PUT *"], w.replies["GET /latest/*"] = status(403), status(403)
		w.files["/sys/class/dmi/id/board_asset_tag"] = testInstance + "\n"
	}, "TG2004", []string{"--instance-id " + testInstance + " --http-endpoint enabled"}},
	{"metadata silent", func(w *world) { w.replies["PUT *"], w.replies["GET /latest/*"] = hang, hang }, "TG2900",
		[]string{"PUT /latest/api/token", "connected, then no answer", "2700 ms"}},
	{"disabled by variable", func(w *world) { w.env["AWS_EC2_METADATA_DISABLED"] = "true" }, "TG2005",
		[]string{"unset AWS_EC2_METADATA_DISABLED"}},
	{"no instance", func(w *world) {
		w.refuse, w.endpoint = true, realEndpoint
		w.files["/sys/class/dmi/id/sys_vendor"] = "QEMU\n"
	}, "TG2008", []string{"QEMU"}},
	{"no connection on an instance", func(w *world) {
		w.refuse, w.endpoint = true, realEndpoint
		w.files["/sys/class/dmi/id/sys_vendor"] = "Amazon EC2\n"
	}, "TG2900", []string{"no connection"}},
	{"no connection, machine unknown", func(w *world) { w.refuse, w.endpoint = true, realEndpoint }, "TG2900", nil},
	{"throttled", func(w *world) { w.replies["PUT *"] = status(429) }, "TG2009", []string{"429"}},
	{"token refused, GET not", func(w *world) { w.replies["PUT *"] = status(403) }, "TG2012", []string{"status 401"}},
	{"token without lifetime", func(w *world) { w.replies["PUT *"] = body("TOKEN==") }, "TG2016", nil},
	{"bad request", func(w *world) { w.replies["PUT *"] = status(400) }, "TG2017", nil},
	{"portal", func(w *world) { w.replies["PUT *"] = body("<html>log in</html>") }, "TG2900", []string{"a web page instead of metadata"}},
	{"token of words", func(w *world) { w.replies["PUT *"] = body("no token today") }, "TG2900", []string{"a body that is no token"}},
	{"token cut", func(w *world) { w.replies["PUT *"] = cut }, "TG2900", []string{"in the middle of the answer"}},
	{"connection dropped", func(w *world) { w.replies["PUT *"] = drop }, "TG2900", []string{"closed without an answer"}},
	{"region hangs", func(w *world) { w.replies["GET /latest/meta-data/placement/region"] = hang }, "TG2900",
		[]string{"GET /latest/meta-data/placement/region", "connected, then no answer", "2700 ms"}},
	{"region is a page", func(w *world) { w.replies["GET /latest/meta-data/placement/region"] = body("<?xml version='1.0'?>") }, "TG2900", nil},
	{"document is not JSON", func(w *world) { w.replies["GET /latest/dynamic/instance-identity/document"] = body("{") }, "TG2900", []string{"no identity document"}},
	{"no role", func(w *world) { w.replies["GET /latest/"+rolePath] = status(404) }, "TG3001",
		[]string{"aws ec2 associate-iam-instance-profile --instance-id " + testInstance + " "}},
	{"role list fails", func(w *world) { w.replies["GET /latest/"+rolePath] = status(500) }, "TG2900", []string{"status 500"}},
	{"role list is a page", func(w *world) { w.replies["GET /latest/"+rolePath] = body("<!DOCTYPE html>") }, "TG2900", nil},
	{"role list is words", func(w *world) { w.replies["GET /latest/"+rolePath] = body("not a role") }, "TG2900", []string{"no role name"}},
	{"role list is empty", func(w *world) { w.replies["GET /latest/"+rolePath] = body("") }, "TG3900", nil},
	{"role not trusted", func(w *world) {
		w.replies["GET /latest/"+rolePath+testRole] = body(`{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role","LastUpdated":"2026-11-22T03:00:00Z"}`)
	}, "TG3002", []string{"aws iam update-assume-role-policy --role-name " + testRole, "AssumeRoleUnauthorizedAccess"}},
	{"role with another code", func(w *world) {
		w.replies["GET /latest/"+rolePath+testRole] = body(`{"Code":"Odd","LastUpdated":"2026-11-22T03:00:00Z"}`)
	}, "TG3900", []string{"Odd"}},
	{"credentials hang", func(w *world) { w.replies["GET /latest/"+rolePath+testRole] = hang }, "TG3900", []string{"connected, then no answer"}},
	{"expired credentials", func(w *world) {
		w.replies["GET /latest/"+rolePath+testRole] = body(credentialsUntil(w.now.Add(-time.Hour)))
	}, "TG3013", []string{"2026-11-22T08:00:00Z"}},
	{"expired credentials and a slow clock", func(w *world) {
		w.skew = -3 * time.Hour
		w.replies["GET /latest/"+rolePath+testRole] = body(credentialsUntil(w.now.Add(-time.Hour)))
	}, "TG3013", nil},
	{"clock fast", func(w *world) { w.skew = 7 * time.Hour }, "TG3010", []string{"7h0m0s", "chronyc makestep"}},
	{"a profile that is not there", func(w *world) { w.env["AWS_PROFILE"] = "nope" }, "TG3009", []string{"AWS_PROFILE", "nope"}},
	{"half a key", func(w *world) { w.env["AWS_ACCESS_KEY_ID"] = "AKIAEXAMPLEEXAMPLE02" }, "TG3007", []string{"AWS_SECRET_ACCESS_KEY"}},
	{"session key without token", func(w *world) { keys(w, "ASIAEXAMPLEEXAMPLE03", "") }, "TG3008", []string{"ASIA…LE03"}},
	{"exported keys past their end", func(w *world) {
		keys(w, "ASIAEXAMPLEEXAMPLE03", "t")
		w.env["AWS_CREDENTIAL_EXPIRATION"] = "2026-11-22T08:59:00Z"
	}, "TG3005", nil},
	{"exported keys refused", func(w *world) {
		keys(w, "ASIAEXAMPLEEXAMPLE03", "t")
		w.sts = stsError("ExpiredToken", "The security token included in the request is expired")
	}, "TG3005", []string{"ExpiredToken"}},
	{"static keys", func(w *world) { keys(w, "AKIAEXAMPLEEXAMPLE02", "") }, "TG3004", []string{"AKIA…LE02", testRole}},
	{"static keys that are gone", func(w *world) {
		keys(w, "AKIAEXAMPLEEXAMPLE02", "")
		w.sts = stsError("InvalidClientTokenId", "The security token included in the request is invalid.")
	}, "TG3004", []string{"InvalidClientTokenId"}},
	{"static keys in a profile", func(w *world) {
		w.files["/home/app/.aws/credentials"] = "[other]\nregion = x\n[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLE02\n"
	}, "TG3004", []string{"/home/app/.aws/credentials:4"}},
	{"two regions", func(w *world) { w.env["AWS_DEFAULT_REGION"] = "us-west-2" }, "TG4001", []string{"us-west-2"}},
	{"region cut", func(w *world) { w.env["AWS_REGION"], w.env["AWS_DEFAULT_REGION"] = "ap", "ap" }, "TG4002",
		[]string{"AWS_REGION=ap-northeast-1"}},
	{"region cut in .env", func(w *world) {
		w.env["AWS_REGION"], w.files["/app/.env"] = "ap", "# settings\nAWS_REGION=ap\n"
	}, "TG4002", []string{"/app/.env:2"}},
	{"region is a zone", func(w *world) { w.env["AWS_REGION"] = "ap-northeast-1a" }, "TG4002", nil},
	{"region is a page", func(w *world) { w.env["AWS_REGION"] = "<?xml version=\"1.0\"?>\n<html>" }, "TG4002", nil},
	{"region cut in the compose file", func(w *world) {
		w.env = map[string]string{}
		w.files["/app/docker-compose.yml"] = strings.Replace(composeFileText, "${AWS_REGION}", "${AWS_REGION:-ap}", 1)
	}, "TG4002", []string{"/app/docker-compose.yml:5"}},
	{"region blank in the compose file", func(w *world) {
		w.env = map[string]string{"COMPOSE_FILE": "/srv/docker-compose.yml"}
		w.files["/srv/docker-compose.yml"] = composeFileText
	}, "TG4003", []string{"/srv/docker-compose.yml:5", "AWS_REGION=ap-northeast-1"}},
	{"region set and empty", func(w *world) { w.env["AWS_REGION"] = "" }, "TG4003", nil},
	{"STS hangs", func(w *world) { w.replies["POST /sts"] = hang }, "TG4900", []string{"outcome no answer", "2700 ms"}},
	{"STS can't be reached", func(w *world) { w.dropped = "sts" }, "TG4103", []string{"host sts.test:80", "2700 ms"}},
	{"no route to STS", func(w *world) { w.routeless = "sts" }, "TG4103", []string{"host sts.test:80", "dial tcp: " + syscall.ENETUNREACH.Error()}},
	{"STS has no name", func(w *world) { w.unnamed = "sts" }, "TG4900", []string{"the connection failed", "no such host"}},
	{"STS drops the connection", func(w *world) { w.replies["POST /sts"] = drop }, "TG4900", []string{"the connection failed"}},
	{"STS fails", func(w *world) {
		w.sts = func(context.Context) (Identity, error) {
			return Identity{}, apiError{"InternalFailure", "strange words", 503}
		}
	}, "TG4900", []string{"InternalFailure", "status 503", "strange words"}},
	{"no configuration", func(w *world) { w.noServices = errors.New("read profile x: it is not there") }, "TG4900",
		[]string{"outcome the call did not come about", "read profile x"}},
	{"region that does not exist", func(w *world) {
		w.env["AWS_REGION"], w.env["AWS_DEFAULT_REGION"] = "ap-northeast-9", "ap-northeast-9"
		w.sts = func(context.Context) (Identity, error) {
			return Identity{}, &net.DNSError{Name: "sts.ap-northeast-9.amazonaws.com", IsNotFound: true}
		}
	}, "TG4002", []string{"ap-northeast-9"}},
	{"signature too old", func(w *world) {
		w.sts = stsError("SignatureDoesNotMatch", "Signature expired: 20261122T080000Z is now earlier than 20261122T084500Z")
	}, "TG3010", []string{"Signature expired"}},
	{"signature wrong", func(w *world) {
		w.sts = stsError("SignatureDoesNotMatch", "The request signature we calculated does not match")
	}, "TG4900", nil},
	{"STS throws", func(w *world) { w.sts = func(context.Context) (Identity, error) { panic("boom") } }, "TG4900", []string{"crash: boom"}},
	{"STS fails otherwise", func(w *world) {
		w.sts = func(context.Context) (Identity, error) { return Identity{}, errors.New("teapot") }
	}, "TG4900", []string{"teapot"}},
	{"model past its end", func(w *world) { w.model = "anthropic.claude-old-1" }, "TG6014", []string{"2026-11-01", "jp.anthropic.claude-"}},
	{"model retired", func(w *world) { w.model = "anthropic.claude-3-sonnet-20240229-v1:0" }, "TG6014",
		[]string{"2026-07-30", "--model-id jp.anthropic.claude-sonnet-5 "}},
	{"model retired, by profile", func(w *world) { w.model = "apac.anthropic.claude-3-sonnet-20240229-v1:0" }, "TG6014",
		[]string{"jp.anthropic.claude-sonnet-5"}},
	{"model ended at run time", func(w *world) {
		w.replies["POST /model/*"] = awsError(404, "ResourceNotFoundException", "This model version has reached the end of its life. Please refer to the AWS documentation for more details.")
	}, "TG6014", []string{"jp.anthropic.claude-sonnet-5"}},
	{"model by profile only", func(w *world) { w.model = "anthropic.claude-sonnet-4-6" }, "TG6002",
		[]string{"--model-id jp.anthropic.claude-sonnet-4-6 "}},
	{"model not authorized", func(w *world) {
		w.replies["GET /foundation-model-availability/*"] = body(`{"authorizationStatus":"NOT_AUTHORIZED","agreementAvailability":{"status":"NOT_AVAILABLE"}}`)
	}, "TG6001", []string{"NOT_AUTHORIZED"}},
	{"model denied", func(w *world) {
		w.replies["POST /model/*"] = awsError(403, "AccessDeniedException", "You don't have access to the model with the specified model ID.")
	}, "TG6001", []string{testModel}},
	{"Bedrock can't be reached", func(w *world) { w.dropped = "bedrock" }, "TG4103", []string{"host bedrock-control.test:80", "host bedrock-runtime.test:80", "2700 ms"}},
	{"only the list of Bedrock can't be reached", func(w *world) { w.dropped = "bedrock-control" }, "TG6013",
		[]string{"host bedrock-control.test:80", "Name=service-name,Values=com.amazonaws." + testRegion + ".bedrock,"}},
	{"Bedrock is not offered", func(w *world) { w.unnamed = "bedrock" }, "TG4005", []string{"host bedrock-control.test", "host bedrock-runtime.test", testRegion}},
	{"model throttled", func(w *world) {
		w.replies["POST /model/*"] = awsError(429, "ThrottlingException", "Too many tokens, please wait before trying again.")
	}, "TG6010", []string{"Too many tokens"}},
	{"stream cut", func(w *world) {
		w.replies[streamCall] = func(rw http.ResponseWriter, _ *http.Request) { events(rw, "messageStart", "contentBlockDelta") }
	}, "TG6019", []string{"Bedrock ConverseStream", "6f1d3c9e-0000-4000-8000-000000000002"}},
	{"stream without a stop", func(w *world) {
		w.replies[streamCall] = func(rw http.ResponseWriter, _ *http.Request) {
			events(rw, "messageStart", "contentBlockDelta", "contentBlockStop", "metadata")
		}
	}, "TG6019", nil},
	{"stream without a count", func(w *world) {
		w.replies[streamCall] = func(rw http.ResponseWriter, _ *http.Request) {
			events(rw, "messageStart", "contentBlockDelta", "contentBlockStop", "messageStop")
		}
	}, "TG6019", nil},
	{"stream not allowed", func(w *world) {
		w.replies[streamCall] = awsError(403, "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/"+testRole+"/"+testInstance+
			" is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/"+testModel+
			" because no identity-based policy allows the bedrock:InvokeModelWithResponseStream action")
	}, "TG6004", []string{"--role-name " + testRole, `"Action":["bedrock:InvokeModelWithResponseStream"`}},
	{"stream hangs", func(w *world) { w.replies[streamCall] = hang }, "TG6900", []string{"Bedrock ConverseStream", "no answer", "2700 ms"}},
	{"model hangs", func(w *world) { w.replies["POST /model/*"] = hang }, "TG6900", []string{"Bedrock Converse", "2700 ms"}},
	{"model cut", func(w *world) { w.replies["POST /model/*"] = cut }, "TG6900", nil},
	{"list fails", func(w *world) { w.replies["GET /foundation-models"] = awsError(500, "InternalServerException", "no") }, "TG6900",
		[]string{"ListFoundationModels", "InternalServerException"}},
	{"address with a path", func(w *world) {
		w.setEndpoint("http://metadata.test/latest/")
		w.replies["PUT *"] = status(403)
	}, "TG2018", []string{"http://metadata.test/latest", "status 403", "unset AWS_EC2_METADATA_SERVICE_ENDPOINT"}},
	{"address with TLS", func(w *world) { w.setEndpoint("https://169.254.169.254") }, "TG2018", []string{"the address is no http URL"}},
	{"address without a scheme", func(w *world) { w.setEndpoint("169.254.169.254") }, "TG2018", []string{"the address is no http URL"}},
	{"address where nothing is", func(w *world) {
		w.setEndpoint("http://127.0.0.1:9")
		w.refuse = true
		w.files["/sys/class/dmi/id/sys_vendor"] = "QEMU\n"
	}, "TG2018", []string{"no connection"}},
	{"IPv6 without a way", func(w *world) {
		w.endpoint, w.refused = ipv6Endpoint, "fd00"
		w.env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6"
	}, "TG2010", []string{"unset AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"}},
	{"IPv6 and IPv4 without a way", func(w *world) {
		w.endpoint, w.refuse = ipv6Endpoint, true
		w.env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "IPv6"
	}, "TG2900", nil},
	{"a proxy forbids everything", func(w *world) {
		forbidden := func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Server", "squid")
			rw.WriteHeader(http.StatusForbidden)
			fmt.Fprint(rw, "<html>denied by policy</html>")
		}
		w.replies["PUT *"], w.replies["GET /latest/*"] = forbidden, forbidden
	}, "TG2900", []string{"status 403"}},
	{"a portal answers, but not for tokens", func(w *world) {
		w.replies["PUT *"], w.replies["GET /latest/*"] = hang, body("<html>log in</html>")
	}, "TG2900", []string{"connected, then no answer"}},
	{"good credentials that STS calls expired", func(w *world) {
		w.sts = stsError("ExpiredToken", "The security token included in the request is expired")
	}, "TG4900", []string{"ExpiredToken", "2026-11-22T15:00:00Z"}},
	{"good credentials that Bedrock calls expired", func(w *world) {
		w.replies["POST /model/*"] = awsError(403, "ExpiredTokenException", "The security token included in the request is expired")
	}, "TG6900", []string{"ExpiredTokenException", "2026-11-22T15:00:00Z"}},
	{"good credentials that Bedrock does not know", func(w *world) {
		w.replies["POST /model/*"] = awsError(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}, "TG6900", []string{"UnrecognizedClientException"}},
	{"STS says yes to nobody", func(w *world) { w.replies["POST /sts"] = body("{}") }, "TG4900", []string{"an answer that can't be read"}},
	{"signature for another region", func(w *world) {
		w.env["AWS_REGION"], w.env["AWS_DEFAULT_REGION"] = "us-west-2", "us-west-2"
		w.sts = stsError("SignatureDoesNotMatch", "Credential should be scoped to a valid region.")
	}, "TG4900", []string{"scoped to a valid region"}}, // a region that exists is not to be called none
	{"stream is a page", func(w *world) { w.replies[streamCall] = page }, "TG6900", []string{"an answer that can't be read"}},
	{"single sign-on has not been done", func(w *world) {
		w.noServices = &fs.PathError{Op: "open", Path: "/home/app/.aws/sso/cache/1.json", Err: syscall.ENOENT}
	}, "TG4900", []string{"the call did not come about"}},
	{"model answers nothing", func(w *world) { w.replies["POST /model/"+testModel+"/converse"] = body("{}") }, "TG6900", []string{"an answer that can't be read"}},
	{"model answers a page", func(w *world) { w.replies["POST /model/"+testModel+"/converse"] = body("<html>log in</html>") }, "TG6900", []string{"an answer that can't be read"}},
	{"model with spaces", func(w *world) {
		w.model = testModel + " "
		w.replies["POST /model/*"] = awsError(400, "ValidationException", "The provided model identifier is invalid.")
	}, "TG6003", []string{`"` + testModel + ` "`}},
	{"stream denied", func(w *world) {
		w.replies[streamCall] = awsError(403, "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/"+testRole+"/"+testInstance+
			" is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/"+testModel+
			" with an explicit deny in an identity-based policy")
	}, "TG6020", []string{"list-attached-role-policies --role-name " + testRole, "identity-based policy"}},
	{"a profile that is said to be no profile", func(w *world) {
		w.replies["POST /model/*"] = awsError(400, "ValidationException", "Invocation of model ID "+testModel+" with on-demand throughput isn\u2019t supported.")
	}, "TG6900", []string{"on-demand throughput"}},
	{"answer with what was sent", func(w *world) {
		w.sts = stsError("SignatureDoesNotMatch", "No match. The Canonical String for this request should have been 'x-amz-security-token:also-secret very-secret'")
	}, "TG4900", []string{"x-amz-security-token:***"}},
	{"a long secret at the edge of what is told", func(w *world) {
		keys(w, "ASIAEXAMPLEEXAMPLE03", strings.Repeat("secret", 100))
		w.sts = stsError("SignatureDoesNotMatch", strings.Repeat("x", 300)+w.env["AWS_SESSION_TOKEN"])
	}, "TG4900", []string{"xxx***"}},
	{"instance id with a tail", func(w *world) { w.replies["GET "+instanceIDPath] = body(testInstance + "; reboot") }, "TG2900",
		[]string{"a body that is no instance id"}},
	{"API key", func(w *world) { w.env["AWS_BEARER_TOKEN_BEDROCK"] = "bedrock-api-key-very-secret" }, "TG6016", nil},
	{"port held by another", func(w *world) {
		w.files["/app/compose.yaml"] = composeFileText
		w.processes = func() ([]Process, error) { return []Process{{PID: 42, Name: "python3", Ports: []int{8000}}}, nil }
	}, "TG7001", []string{"python3", "42", "8000"}},
}

func keys(w *world, id, session string) {
	w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = id, "very-secret"
	if session != "" {
		w.env["AWS_SESSION_TOKEN"] = session
	}
}

func TestFaults(t *testing.T) {
	for _, test := range faults {
		t.Run(test.name, func(t *testing.T) {
			w := healthy()
			test.spoil(w)
			r := examine(t, w)
			en, ja := text(t, r, message.English), text(t, r, message.Japanese)
			if got := rootOf(r); got != test.want {
				t.Fatalf("root %q, want %q\n%s", got, test.want, en)
			}
			for _, word := range test.words {
				if !strings.Contains(strings.Join(strings.Fields(en), " "), word) {
					t.Errorf("the text lacks %q:\n%s", word, en)
				}
			}
			if r.Elapsed > 15*time.Second {
				t.Errorf("took %v", r.Elapsed)
			}
			if n := len(w.requests) - len(slices.Compact(slices.Sorted(slices.Values(w.requests)))); n > 0 && test.want != "TG2009" {
				t.Errorf("asked %d times for the same again: %v", n, w.requests)
			}
			untranslated(t, r)
			for _, s := range []string{en, ja, diagnosis(t, r, message.Japanese), document(t, r)} {
				if strings.Contains(s, "secret") || strings.Contains(s, "TOKEN==") {
					t.Errorf("a secret was written:\n%s", s)
				}
				if first := firstID(s); first != test.want && !strings.HasPrefix(s, "{") && !strings.Contains(s, "1. ") {
					t.Errorf("the first id is %s:\n%s", first, s)
				}
			}
		})
	}
}

// untranslated finds the words of ours that a Japanese reader would get in
// English. Codes and numbers are the same in every language.
func untranslated(t *testing.T, r report.Report) {
	t.Helper()
	code := regexp.MustCompile(`^(status \d+|crash: .*|[A-Z]\w+)$`)
	for _, s := range r.Steps {
		fields := s.Facts
		if s.Finding != nil {
			fields = append(fields, s.Finding.Evidence...)
		}
		for _, f := range fields {
			ours := f.Name == "reason" || f.Name == "outcome" || f.Name == "source"
			if p := f.Phrase; strings.Trim(strings.ReplaceAll(p, "%s", ""), " ") != "" && message.Japanese.T(p) == p {
				t.Errorf("%s: no Japanese for %q", f.Name, p)
			}
			if ours && !code.MatchString(f.Value) && message.Japanese.T(f.Value) == f.Value {
				t.Errorf("%s: no Japanese for %q", f.Name, f.Value)
			}
		}
	}
}

func firstID(s string) string {
	i := strings.Index(s, "TG")
	if i < 0 {
		return ""
	}
	return s[i : i+6]
}

func document(t *testing.T, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func diagnosis(t *testing.T, r report.Report, l message.Lang) string {
	t.Helper()
	var b bytes.Buffer
	if err := Diagnose(&b, r, l); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Of two faults at once the one that stands earlier in the chain is the root,
// and what depends on it is not blamed.
func TestTwoFaults(t *testing.T) {
	named := map[string]func(*world){}
	for _, f := range faults {
		named[f.name] = f.spoil
	}
	for _, test := range []struct {
		first, second string
		want          string
		also          string // found as well, "" for none
	}{
		{"hop limit", "no role", "TG2003", ""},
		{"hop limit", "region cut", "TG2003", "TG4002"},
		{"metadata disabled", "role not trusted", "TG2004", ""},
		{"no role", "model retired", "TG3001", ""},
		{"role not trusted", "region cut", "TG3002", "TG4002"},
		{"expired credentials", "model not authorized", "TG3013", ""},
		{"region cut", "model retired", "TG4002", ""},
		{"region blank in the compose file", "model by profile only", "TG4003", ""},
		{"static keys", "model retired", "TG6014", "TG3004"}, // a warning stands behind
		{"model retired", "model not authorized", "TG6014", "TG6001"},
		{"region hangs", "model retired", "TG2900", "TG6014"},
		{"list fails", "model denied", "TG6900", "TG6001"},
		{"signature too old", "model hangs", "TG3010", ""},
		{"signature too old", "clock fast", "TG3010", ""},
	} {
		t.Run(test.first+" and "+test.second, func(t *testing.T) {
			w := healthy()
			named[test.first](w)
			named[test.second](w)
			r := examine(t, w)
			if got := rootOf(r); got != test.want {
				t.Errorf("root %q, want %q\n%s", got, test.want, text(t, r, message.English))
			}
			var ids []string
			for _, s := range r.Findings()[1:] {
				ids = append(ids, s.Finding.ID)
			}
			if got := strings.Join(ids, " "); got != test.also {
				t.Errorf("also found %q, want %q", got, test.also)
			}
		})
	}
}

// What is healthy, though it looks odd, is no finding.
func TestNoFalseAlarm(t *testing.T) {
	for _, test := range []struct {
		name string
		odd  func(w *world)
	}{
		{"no region set on an instance", func(w *world) { w.env = map[string]string{} }},
		{"only AWS_REGION", func(w *world) { delete(w.env, "AWS_DEFAULT_REGION") }},
		{"a region that is new", func(w *world) { w.env["AWS_REGION"] = "eusc-de-east-1"; delete(w.env, "AWS_DEFAULT_REGION") }},
		{"compose with .env", func(w *world) {
			w.env = map[string]string{}
			w.files["/app/docker-compose.yml"], w.files["/app/.env"] = composeFileText, "AWS_REGION='ap-northeast-1'\n"
		}},
		{"compose with a default", func(w *world) {
			w.env = map[string]string{}
			w.files["/app/compose.yml"] = strings.Replace(composeFileText, "${AWS_REGION}", "${AWS_REGION:-us-west-2}", 1)
		}},
		{"compose that stops by itself", func(w *world) {
			w.env = map[string]string{}
			w.files["/app/compose.yml"] = strings.Replace(composeFileText, "${AWS_REGION}", "${AWS_REGION:?set it}", 1)
		}},
		{"compose with an escape and a comment", func(w *world) {
			w.env = map[string]string{}
			w.files["/app/compose.yml"] = "services:\n  a:\n    # ${AWS_REGION}\n    command: echo $${AWS_REGION}\n"
		}},
		{"empty keys", func(w *world) { w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = "", "" }},
		{"session keys that are good", func(w *world) { keys(w, "ASIAEXAMPLEEXAMPLE03", "t") }},
		{"a clock off by a minute", func(w *world) { w.skew = time.Minute }},
		{"metadata switched off, keys elsewhere", func(w *world) {
			w.env["AWS_EC2_METADATA_DISABLED"] = "true"
			keys(w, "ASIAEXAMPLEEXAMPLE03", "t")
		}},
		{"a laptop with keys", func(w *world) {
			w.refuse, w.endpoint = true, realEndpoint
			w.files["/sys/class/dmi/id/sys_vendor"] = "LENOVO"
			keys(w, "AKIAEXAMPLEEXAMPLE02", "")
		}},
		{"an instance without a role, with keys", func(w *world) {
			w.replies["GET /latest/"+rolePath] = status(404)
			keys(w, "AKIAEXAMPLEEXAMPLE02", "")
		}},
		{"models may not be listed", func(w *world) {
			w.replies["GET /foundation-models"] = awsError(403, "AccessDeniedException", "User: x is not authorized to perform: bedrock:ListFoundationModels because no identity-based policy allows")
			w.replies["GET /foundation-model-availability/*"] = awsError(403, "AccessDeniedException", "User: x is not authorized to perform: bedrock:GetFoundationModelAvailability")
		}},
		{"a model that our table calls retired, which can't be listed and answers", func(w *world) {
			w.model = "anthropic.claude-3-sonnet-20240229-v1:0"
			w.replies["GET /foundation-models"] = awsError(403, "AccessDeniedException", "no")
		}},
		{"models may not be listed so often", func(w *world) {
			w.replies["GET /foundation-models"] = awsError(429, "ThrottlingException", "Rate exceeded")
		}},
		{"access can't be asked for", func(w *world) { w.replies["GET /foundation-model-availability/*"] = drop }},
		{"no model configured", func(w *world) { w.model = "" }},
		{"a model on demand", func(w *world) { w.model = "amazon.nova-lite-v1:0" }},
		{"a model that does not stream", func(w *world) {
			w.model = dumb
			w.replies["POST /model/"+dumb+"/converse-stream"] = awsError(400, "ValidationException", "This model doesn't support the streaming feature.")
		}},
		{"a profile by ARN", func(w *world) {
			w.model = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-sonnet-5"
		}},
		{"an application's own profile", func(w *world) {
			w.model = "arn:aws:bedrock:ap-northeast-1:123456789012:application-inference-profile/abc"
		}},
		{"a slow token", func(w *world) {
			w.replies["PUT *"] = func(rw http.ResponseWriter, r *http.Request) { sleep(r.Context(), 2*time.Second); w.serve(rw, r) }
		}},
		{"a port held by a container", func(w *world) {
			w.files["/app/compose.yaml"] = composeFileText
			w.processes = func() ([]Process, error) {
				return []Process{{PID: 7, Name: "docker-proxy", Ports: []int{8000}}}, nil
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := healthy()
			test.odd(w)
			if r := examine(t, w); !r.Healthy() {
				t.Errorf("found %s\n%s", rootOf(r), text(t, r, message.English))
			}
		})
	}
}

// depth is the longest way through the graph that the checks declare.
func depth(checks []Check) int {
	deepest := map[string]int{}
	longest := 0
	for _, c := range checks { // the order of the chain is one in which all that a check waits for stands before it
		d := 0
		for _, name := range append(append([]string{}, c.Requires...), c.After...) {
			if _, ok := deepest[name]; !ok {
				panic(fmt.Sprintf("%s waits for %s, which stands behind it or nowhere", c.Name, name))
			}
			d = max(d, deepest[name])
		}
		deepest[c.Name] = d + 1
		longest = max(longest, d+1)
	}
	return longest
}

func TestWaitsNoLongerThanTheGraphIsDeep(t *testing.T) {
	w := healthy()
	w.delay = 100 * time.Millisecond
	r := examine(t, w)
	if most := time.Duration(depth(Checks()))*w.delay + 50*time.Millisecond; r.Elapsed > most || !r.Healthy() {
		t.Errorf("took %v, want at most %v; root %q", r.Elapsed, most, rootOf(r))
	}
}

func TestEndsWhateverHangs(t *testing.T) {
	w := healthy()
	for _, slow := range []time.Duration{time.Second, 2 * time.Second, 2600 * time.Millisecond, time.Hour} {
		w.delay = slow
		if r := examine(t, w); r.Elapsed > 15*time.Second {
			t.Errorf("with %v before every answer it took %v", slow, r.Elapsed)
		}
	}
}

func TestEndsWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := healthy()
		w.delay = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := Run(ctx, w.host(t), Checks()); r.Elapsed > 2*time.Second {
			t.Errorf("took %v after a second", r.Elapsed)
		}
	})
}

func TestCheckThatIgnoresItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		checks := []Check{
			{Name: "deaf", Unknown: "TG2900", Run: func(context.Context, *Host, Facts) Outcome { <-release; return pass() }},
			{Name: "child", Requires: []string{"deaf"}, Run: func(context.Context, *Host, Facts) Outcome { return pass() }},
			{Name: "free", Run: func(context.Context, *Host, Facts) Outcome { return pass() }},
		}
		r := Run(t.Context(), Host{}, checks)
		if r.Elapsed > budget+grace {
			t.Errorf("took %v", r.Elapsed)
		}
		if rootOf(r) != "TG2900" || r.Step("child").Because != "TG2900" || r.Step("free").Status != report.Passed {
			t.Errorf("got %+v", r.Steps)
		}
	})
}

func TestReportIsDeterministic(t *testing.T) {
	w := healthy()
	w.replies["PUT *"] = hang
	w.env["AWS_REGION"] = "ap"
	first := text(t, examine(t, w), message.English)
	for range 5 {
		if again := text(t, examine(t, w), message.English); again != first {
			t.Fatalf("two runs differ:\n%s\n%s", first, again)
		}
	}
}

func TestCatalogueHasEveryID(t *testing.T) {
	for _, f := range faults {
		if _, ok := message.Lookup(f.want); !ok {
			t.Errorf("%s is not in the catalogue", f.want)
		}
	}
	for _, c := range Checks() {
		if _, ok := message.Lookup(c.Unknown); !ok {
			t.Errorf("%s: %s is not in the catalogue", c.Name, c.Unknown)
		}
		if c.Title[message.English] == "" || c.Title[message.Japanese] == "" {
			t.Errorf("%s: no title", c.Name)
		}
	}
}
