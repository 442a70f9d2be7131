package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A probe looks at one side of a box and tells what it met there, without
// anything that differs from run to run.
type probe func(*testing.T, running) string

// environ is what the command finds in its environment.
func (r running) environ() map[string]string {
	env := map[string]string{}
	for _, kv := range r.Environ(nil, places) {
		name, value, _ := strings.Cut(kv, "=")
		env[name] = value
	}
	return env
}

// variable tells what variables hold.
func variable(names ...string) probe {
	return func(_ *testing.T, r running) string {
		var all []string
		env := r.environ()
		for _, name := range names {
			value, ok := env[name]
			if !ok {
				value = "(unset)"
			}
			all = append(all, name+"="+value)
		}
		return strings.Join(all, "\n")
	}
}

// file tells what stands in files below the home.
func file(names ...string) probe {
	return func(t *testing.T, r running) string {
		home := t.TempDir()
		if err := r.WriteFiles(home); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(home, filepath.FromSlash(name)))
			if err != nil {
				text = []byte("(absent)")
			}
			all = append(all, name+": "+string(text))
		}
		return strings.Join(all, "\n")
	}
}

// patience is how long a probe waits for an answer that may never come.
const patience = 1500 * time.Millisecond

// met sends a request and tells the answer as a person reads it.
func met(t *testing.T, req *http.Request) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	resp, err := http.DefaultTransport.RoundTrip(req.WithContext(ctx))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	case err != nil:
		return "connection lost"
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return "200 " // an answer may take its time
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, told(resp.Header, string(body)))
}

// told is the code and the text of an error of AWS in any of its shapes, or ""
// for what is none.
func told(h http.Header, body string) string {
	var e struct{ Type, Code, Message string }
	var document struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	switch {
	case strings.Contains(body, "<Code>"):
		_, e.Code, _ = strings.Cut(body, "<Code>")
		e.Code, _, _ = strings.Cut(e.Code, "<")
		_, e.Message, _ = strings.Cut(body, "<Message>")
		e.Message, _, _ = strings.Cut(e.Message, "<")
	case json.Unmarshal([]byte(body), &document) == nil && document.Type+document.Message != "":
		e.Code, e.Message = document.Type, document.Message
		if e.Code == "" {
			e.Code, _, _ = strings.Cut(h.Get("X-Amzn-Errortype"), ":")
		}
	default:
		return ""
	}
	return e.Code + ": " + e.Message
}

func (r running) metadataRequest(t *testing.T, method, path string, header http.Header) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, r.imds.Endpoint+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	return req
}

// tokens asks for a token, and then without one.
func tokens(t *testing.T, r running) string {
	put := r.metadataRequest(t, "PUT", "/latest/api/token", http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}})
	get := r.metadataRequest(t, "GET", "/latest/meta-data/instance-id", http.Header{})
	return "PUT " + met(t, put) + "\nGET " + met(t, get)
}

// lifetime tells how the answer to a token request says how long it lasts.
func lifetime(t *testing.T, r running) string {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	put := r.metadataRequest(t, "PUT", "/latest/api/token", http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}})
	resp, err := http.DefaultTransport.RoundTrip(put.WithContext(ctx))
	if err != nil {
		return "no answer"
	}
	resp.Body.Close()
	return fmt.Sprintf("%d, lifetime %q", resp.StatusCode, resp.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
}

// role reads what the metadata has on the role, and its credentials.
func role(t *testing.T, r running) string {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	name, err := r.imds.Role(ctx)
	if err != nil {
		return "no role: " + kind(err)
	}
	c, err := r.imds.Credentials(ctx)
	if err != nil {
		return "role " + name + ", no credentials: " + kind(err)
	}
	return fmt.Sprintf("role %s, credentials in force: %v", name, c.Expiration.After(time.Now()))
}

// kind is an error without the address that it came from.
func kind(err error) string {
	text := err.Error()
	if i := strings.Index(text, "127.0.0.1:"); i >= 0 {
		text = text[:i]
	}
	return text
}

// clock compares that of AWS with the one here.
func clock(t *testing.T, r running) string {
	resp, err := http.Get(r.aws)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	there, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%v ahead", time.Until(there).Round(time.Minute))
}

// A request to a service of AWS.
type request struct {
	service, path, target, body string
	region                      string // "" means that of the command's environment
}

// signed are the credentials that the environment has, or else those of the
// instance.
func (r running) signed(t *testing.T) aws.Credentials {
	t.Helper()
	env := r.environ()
	if id, secret := env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]; id != "" && secret != "" {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: env["AWS_SESSION_TOKEN"]}
	}
	return r.held(t)
}

func (r running) ask(t *testing.T, q request) string {
	t.Helper()
	return met(t, r.sign(t, q))
}

func (r running) sign(t *testing.T, q request) *http.Request {
	t.Helper()
	method := http.MethodPost
	if q.body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequest(method, r.aws+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case q.target != "":
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", q.target)
	case strings.HasPrefix(q.body, "Action="):
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if q.region == "" {
		q.region = r.environ()["AWS_REGION"]
	}
	sum := sha256.Sum256([]byte(q.body))
	if err := v4.NewSigner().SignHTTP(t.Context(), r.signed(t), req, hex.EncodeToString(sum[:]), q.service, q.region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return req
}

func asks(requests ...request) probe {
	return func(t *testing.T, r running) string {
		var all []string
		for _, q := range requests {
			all = append(all, r.ask(t, q))
		}
		return strings.Join(all, "\n")
	}
}

func both(probes ...probe) probe {
	return func(t *testing.T, r running) string {
		var all []string
		for _, p := range probes {
			all = append(all, p(t, r))
		}
		return strings.Join(all, "\n")
	}
}

const greeting = `{"messages":[{"role":"user","content":[{"text":"hello"}]}]}`

// model asks the model of the environment, in one piece and streamed.
func model(t *testing.T, r running) string {
	id := r.environ()["BEDROCK_MODEL_ID"]
	return r.ask(t, request{service: "bedrock", path: "/model/" + id + "/converse", body: greeting}) + "\n" +
		r.ask(t, request{service: "bedrock", path: "/model/" + id + "/converse-stream", body: greeting})
}

// stream reads a streamed answer to its end.
func stream(t *testing.T, r running) string {
	req := r.sign(t, request{service: "bedrock", path: "/model/" + r.environ()["BEDROCK_MODEL_ID"] + "/converse-stream", body: greeting})
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Sprintf("%d, then cut", resp.StatusCode)
	}
	return fmt.Sprintf("%d, to the end", resp.StatusCode)
}

// parameter reads the parameter of the environment.
func parameter(t *testing.T, r running) string {
	name := r.environ()["SYSTEM_PROMPT_PARAMETER"]
	if name == "" {
		name = "/bedrock-ui/system-prompt"
	}
	read := func(decrypted bool) string {
		return r.ask(t, request{service: "ssm", path: "/", target: "AmazonSSM.GetParameter", body: fmt.Sprintf(`{"Name":%q,"WithDecryption":%v}`, name, decrypted)})
	}
	return read(true) + "\n" + read(false)
}

var (
	identity  = asks(request{service: "sts", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15"})
	otherRole = asks(request{service: "sts", path: "/", body: "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/bedrock-cross-role&RoleSessionName=me"})
	writeLogs = asks(
		request{service: "logs", path: "/", target: "Logs_20140328.CreateLogGroup", body: `{"logGroupName":"app"}`},
		request{service: "logs", path: "/", target: "Logs_20140328.PutRetentionPolicy", body: `{"logGroupName":"app","retentionInDays":7}`},
	)
	keys    = variable("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
	regions = variable("AWS_REGION", "AWS_DEFAULT_REGION")
	compose = both(variable("COMPOSE_FILE"), file("bedrock-ui/.env", "bedrock-ui/docker-compose.yml"))
)

const (
	secret  = "AWS_SECRET_ACCESS_KEY=je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
	itself  = "User: arn:aws:sts::123456789012:assumed-role/bedrock-ui-ec2-role/i-0a1b2c3d4e5f60718 is not authorized to perform: "
	profile = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-sonnet-4-6"
	setting = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/bedrock-ui/system-prompt"
)

// Each fault shows what it is known by, and without it nothing shows that.
var symptoms = []struct {
	fault string
	probe probe
	want  []string
}{
	{"hop-limit", tokens, []string{"PUT no answer", "GET 401"}},
	{"imds-disabled", tokens, []string{"PUT 403", "GET 403"}},
	{"imds-off-in-environment", both(variable("AWS_EC2_METADATA_DISABLED"), tokens), []string{"AWS_EC2_METADATA_DISABLED=true", "PUT 200"}},
	{"proxy-for-everything", both(variable("HTTP_PROXY", "NO_PROXY"), tokens), []string{"HTTP_PROXY=http://", "NO_PROXY=(unset)", "PUT 200"}},
	{"not-on-ec2", tokens, []string{"PUT connection refused", "GET connection refused"}},
	{"imds-throttled", tokens, []string{"PUT 503", "GET 401"}},
	{"ipv6-without-a-way", variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		[]string{"_MODE=IPv6", "ENDPOINT=(unset)"}},
	{"endpoint-without-slash", variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"), []string{"ENDPOINT=http://169.254.169.254:80$"}},
	{"endpoint-elsewhere", variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"), []string{"ENDPOINT=http://169.254.169.254/latest/$"}},
	{"token-forbidden", tokens, []string{"PUT 403", "GET 401"}},
	{"version-1-after-a-wait", tokens, []string{"PUT no answer", "GET 200"}},
	{"token-without-lifetime", lifetime, []string{`200, lifetime ""`}},
	{"token-bad-request", tokens, []string{"PUT 400", "GET 401"}},

	{"no-role", role, []string{"no role: "}},
	{"role-trust", role, []string{"role bedrock-ui-ec2-role, no credentials: ", "AssumeRoleUnauthorizedAccess"}},
	{"inactive-key", both(keys, identity), []string{secret, "403 InvalidClientTokenId: The security token included in the request is invalid"}},
	{"user-keys", both(keys, model), []string{secret, "403 AccessDeniedException: User: arn:aws:iam::123456789012:user/deploy is not authorized"}},
	{"session-ended", both(keys, identity), []string{"=ASIA", "403 ExpiredToken: The security token included in the request is expired"}},
	{"settings-of-another-user", file(".aws/config", "home/ubuntu/.aws/config"), []string{".aws/config: \n", "[profile bedrock]"}},
	{"half-a-key", keys, []string{"AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=(unset)"}},
	{"session-token-missing", both(keys, identity),
		[]string{"=ASIA", "AWS_SESSION_TOKEN=(unset)", "403 InvalidClientTokenId: The security token included in the request is invalid"}},
	{"profile-missing", both(variable("AWS_PROFILE"), file(".aws/config")), []string{"AWS_PROFILE=bedrock\n", ".aws/config: $"}},
	{"clock-behind", clock, []string{"20m0s ahead"}},
	{"clock-ahead", identity, []string{"403 SignatureDoesNotMatch: Signature not yet current: ", " is still later than "}},
	{"container-uri-not-local", variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"), []string{"=http://credentials.internal:8080/"}},
	{"profile-just-made", asks(request{service: "ec2", path: "/",
		body: "Action=AssociateIamInstanceProfile&Version=2016-11-15&InstanceId=" + sample + "&IamInstanceProfile.Name=fresh-profile"}),
		[]string{"400 InvalidParameterValue: ", "Invalid IAM Instance Profile name"}},
	{"expired-credentials", both(role, identity), []string{"the credentials have expired", "403 ExpiredToken: The security token included in the request is expired"}},

	{"regions-differ", regions, []string{"AWS_REGION=ap-northeast-1", "AWS_DEFAULT_REGION=us-east-1"}},
	{"region-cut", regions, []string{"AWS_REGION=ap\n"}},
	{"region-unset", both(regions, compose), []string{"AWS_REGION=(unset)", "bedrock-ui/.env: (absent)", "AWS_REGION: ${AWS_REGION}"}},
	{"env-file-not-passed-on", compose, []string{"bedrock-ui/.env: AWS_REGION=ap-northeast-1", "image: bedrock-ui-backend\n    ports:"}},
	{"region-without-bedrock", both(regions, model), []string{"AWS_REGION=ap-east-1", "400 ValidationException: "}},

	{"role-not-assumable", both(variable("AWS_PROFILE"), file(".aws/config"), otherRole),
		[]string{"AWS_PROFILE=cross", "role/bedrock-cross-role", "403 AccessDenied: " + itself + "sts:AssumeRole on resource: arn:aws:iam::123456789012:role/bedrock-cross-role"}},
	{"region-not-enabled", both(regions, identity, model),
		[]string{"AWS_REGION=me-south-1", "403 InvalidClientTokenId: ", "403 UnrecognizedClientException: "}},
	{"sts-out-of-reach", variable("AWS_ENDPOINT_URL_STS"), []string{"_STS=http"}},
	{"authority-unknown", variable("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL"), []string{"AWS_CA_BUNDLE=(unset)", "AWS_ENDPOINT_URL=(unset)"}},

	{"parameter-denied", parameter, []string{"400 AccessDeniedException: " + itself + "ssm:GetParameter on resource: " + setting + " because no identity-based policy allows"}},
	{"parameter-arn-wrong", parameter, []string{"400 AccessDeniedException: " + itself + "ssm:GetParameter on resource: " + setting}},
	{"parameter-key-denied", parameter, []string{
		"400 AccessDeniedException: The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.\n200 "}},
	{"parameter-missing", parameter, []string{"400 ParameterNotFound: "}},
	{"parameter-without-slash", parameter, []string{`400 ValidationException: Parameter name: can't be prefixed with "ssm"`}},
	{"agent-role-missing", asks(request{service: "ssm", path: "/", target: "AmazonSSM.RequestManagedInstanceRoleToken", body: "{}"}),
		[]string{"400 AccessDeniedException: Systems Manager's instance management role is not configured for account: 123456789012"}},

	{"registry-not-logged-in", file(".docker/config.json", "bedrock-ui/docker-compose.yml"),
		[]string{"index.docker.io", "image: 123456789012.dkr.ecr.ap-northeast-1"}},
	{"registry-login-of-another-user", file(".docker/config.json", "home/ubuntu/.docker/config.json"),
		[]string{`.docker/config.json: {"auths": {}}`, "dkr.ecr.ap-northeast-1"}},
	{"log-retention-denied", writeLogs, []string{"200 \n400 AccessDeniedException: " + itself + "logs:PutRetentionPolicy on resource: "}},
	{"log-group-denied", writeLogs, []string{"400 AccessDeniedException: " + itself + "logs:CreateLogGroup on resource: ", "ResourceNotFoundException"}},

	{"model-access", model, []string{"403 AccessDeniedException: You don't have access to the model with the specified model ID."}},
	{"model-profile", model, []string{"400 ValidationException: Invocation of model ID anthropic.claude-sonnet-4-6 with on-demand throughput isn’t supported."}},
	{"model-of-another-place", both(variable("BEDROCK_MODEL_ID"), model), []string{"=us.", "400 ValidationException: The provided model identifier is invalid."}},
	{"model-foreign", both(variable("BEDROCK_MODEL_ID"), model), []string{"=claude", "400 ValidationException: The provided model identifier is invalid."}},
	{"stream-denied", model, []string{"200 \n403 AccessDeniedException: " + itself + "bedrock:InvokeModelWithResponseStream on resource: " + profile +
		" because no identity-based policy allows the bedrock:InvokeModelWithResponseStream action"}},
	{"stream-denied-outright", model, []string{"200 \n403 AccessDeniedException: " + itself + "bedrock:InvokeModelWithResponseStream on resource: " + profile +
		" with an explicit deny in an identity-based policy"}},
	{"stream-cut", stream, []string{"200, then cut"}},
	{"profile-denied", model, []string{"403 AccessDeniedException: " + itself + "bedrock:InvokeModel on resource: " + profile + " because no identity-based policy"}},
	{"region-denied-from-above", model, []string{"403 AccessDeniedException: ", "arn:aws:bedrock:ap-northeast-3::foundation-model/", "with an explicit deny in a service control policy"}},
	{"marketplace-denied", model, []string{"403 AccessDeniedException: ",
		"AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe)"}},
	{"model-legacy", model, []string{"404 ResourceNotFoundException: Access denied. This Model is marked by provider as Legacy"}},
	{"bedrock-blocked", model, []string{"400 ValidationException: Operation not allowed\n400 ValidationException: Operation not allowed"}},
	{"requests-used-up", model, []string{"200 \n429 ThrottlingException: Too many requests, please wait"}},
	{"daily-quota-zero", model, []string{"429 ThrottlingException: Too many tokens per day, please wait before trying again.\n429 "}},
	{"quota-used-up", model, []string{"429 ThrottlingException: Too many tokens, please wait before trying again.\n429 "}},
	{"wrong-host-of-bedrock", variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"), []string{"=https://bedrock.ap-northeast-1.amazonaws.com$"}},
	{"model-list-out-of-reach", variable("AWS_ENDPOINT_URL_BEDROCK"), []string{"_BEDROCK=http"}},
	{"model-eol", model, []string{"404 ResourceNotFoundException: This model version has reached the end of its life."}},
	{"use-case-form", model, []string{"404 ResourceNotFoundException: Model use case details have not been submitted for this account."}},
	{"stale-bearer-token", variable("AWS_BEARER_TOKEN_BEDROCK"), []string{"=ABSK"}},
	{"data-retention-unset", model, []string{"400 ValidationException: data retention mode 'default' is not available for this model"}},
}

// shows reports whether evidence holds what is wanted. A $ stands for its end.
func shows(evidence, want string) bool {
	if whole, ok := strings.CutSuffix(want, "$"); ok {
		return strings.HasSuffix(evidence, whole)
	}
	return strings.Contains(evidence, want)
}

func showsAll(evidence string, want []string) bool {
	for _, w := range want {
		if !shows(evidence, w) {
			return false
		}
	}
	return true
}

func TestSymptoms(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, tt := range symptoms {
		told[tt.fault] = true
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			if got := tt.probe(t, runFault(t, tt.fault)); !showsAll(got, tt.want) {
				t.Errorf("met\n%s\nwant %q", got, tt.want)
			}
			if got := tt.probe(t, runScenario(t, Default())); showsAll(got, tt.want) {
				t.Errorf("without the fault the same is met:\n%s", got)
			}
		})
	}
	for _, name := range faultNames() {
		if !told[name] {
			t.Errorf("%s: what does it show?", name)
		}
	}
}

// Faults that look alike from outside, and the probes that tell them apart.
var lookAlikes = []struct {
	of     string
	faults []string
	probes probe
}{
	{"401 of the metadata service", []string{"token-without-lifetime", "token-bad-request", "version-1-after-a-wait"}, both(tokens, lifetime)},
	{"no credentials", []string{"hop-limit", "imds-disabled", "imds-off-in-environment", "proxy-for-everything", "not-on-ec2", "no-role", "role-trust", "token-forbidden"},
		both(tokens, role, variable("AWS_EC2_METADATA_DISABLED", "HTTP_PROXY"))},
	{"token invalid or expired", []string{"session-ended", "session-token-missing", "clock-ahead", "inactive-key", "region-not-enabled", "expired-credentials"},
		both(keys, regions, role, ended(identity))},
	{"endpoint or region", []string{"regions-differ", "region-cut", "region-unset", "region-without-bedrock", "env-file-not-passed-on", "sts-out-of-reach"},
		both(regions, compose, variable("AWS_ENDPOINT_URL_STS"))},
	{"parameters", []string{"parameter-denied", "parameter-key-denied", "parameter-missing", "parameter-without-slash"}, both(variable("SYSTEM_PROMPT_PARAMETER"), parameter)},
	{"Bedrock denies", []string{"model-access", "stream-denied", "stream-denied-outright", "profile-denied", "region-denied-from-above", "marketplace-denied", "bedrock-blocked", "use-case-form", "stale-bearer-token", "user-keys"},
		both(variable("AWS_BEARER_TOKEN_BEDROCK"), model)},
	{"model id", []string{"model-profile", "model-of-another-place", "model-foreign", "model-legacy", "model-eol", "data-retention-unset"}, both(variable("BEDROCK_MODEL_ID"), model)},
	{"throttled", []string{"requests-used-up", "daily-quota-zero", "quota-used-up"}, model},
}

// ended is what a probe tells without the moments in it.
func ended(p probe) probe {
	return func(t *testing.T, r running) string {
		before, _, _ := strings.Cut(p(t, r), ": 2")
		return before
	}
}

func TestLookAlikesDiffer(t *testing.T) {
	t.Parallel()
	for _, group := range lookAlikes {
		t.Run(group.of, func(t *testing.T) {
			t.Parallel()
			evidence := make([]string, 1+len(group.faults))
			t.Run("met", func(t *testing.T) {
				t.Run("a healthy instance", func(t *testing.T) {
					t.Parallel()
					evidence[0] = group.probes(t, runScenario(t, Default()))
				})
				for i, fault := range group.faults {
					t.Run(fault, func(t *testing.T) {
						t.Parallel()
						evidence[1+i] = group.probes(t, runFault(t, fault))
					})
				}
			})
			names := append([]string{"a healthy instance"}, group.faults...)
			for i, one := range evidence {
				if j := slices.Index(evidence, one); j < i {
					t.Errorf("%s shows what %s does:\n%s", names[i], names[j], one)
				}
			}
		})
	}
}
