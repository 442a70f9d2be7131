package awsconf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

// An instance is an instance metadata service on loopback.
type instance struct {
	*httptest.Server
	requests atomic.Int32
	document atomic.Int32 // reads of the credentials
	expires  atomic.Value // time.Time
	broken   atomic.Bool
}

func newInstance(t *testing.T) *instance {
	i := &instance{}
	i.expires.Store(time.Now().Add(6 * time.Hour))
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	return i
}

func (i *instance) serve(w http.ResponseWriter, r *http.Request) {
	i.requests.Add(1)
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Server", "EC2ws")
	if r.Method == http.MethodPut && r.URL.Path == "/latest/api/token" {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		io.WriteString(w, strings.Repeat("A", 54)+"==")
		return
	}
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/latest/meta-data/placement/region":
		io.WriteString(w, "eu-central-1")
	case "/latest/meta-data/iam/security-credentials":
		io.WriteString(w, "bedrock-ui-ec2-role")
	case "/latest/meta-data/iam/security-credentials/bedrock-ui-ec2-role":
		i.document.Add(1)
		if i.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIAROLE","SecretAccessKey":"s","Token":"t","Expiration":%q}`,
			i.expires.Load().(time.Time).UTC().Format(time.RFC3339))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// source returns a Source whose environment is env, on an empty home.
func source(t *testing.T, env map[string]string) Source {
	t.Helper()
	all := map[string]string{"HOME": t.TempDir()}
	for k, v := range env {
		all[k] = v
	}
	return Source{Getenv: func(k string) string { return all[k] }}
}

// files writes shared files into the home of a source.
func files(t *testing.T, s Source, configFile, credentialsFile string) {
	t.Helper()
	dir := filepath.Join(s.Getenv("HOME"), ".aws")
	err := errors.Join(os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "config"), []byte(configFile), 0o600),
		os.WriteFile(filepath.Join(dir, "credentials"), []byte(credentialsFile), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

// nowhere is an endpoint that refuses connections.
const nowhere = "http://127.0.0.1:1"

func load(t *testing.T, s Source) Config {
	t.Helper()
	c, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func keyOf(t *testing.T, c Config) string {
	t.Helper()
	keys, err := c.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys.AccessKeyID
}

// fakeSTS hands out a key that is named after the role.
func fakeSTS(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		action := r.Form.Get("Action")
		role := r.Form.Get("RoleArn")[strings.LastIndex(r.Form.Get("RoleArn"), "/")+1:]
		_, by, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		by, _, _ = strings.Cut(by, "/")
		if token := r.Form.Get("WebIdentityToken"); token != "" {
			by = "token:" + token
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials>
			<AccessKeyId>%[2]s by %[3]s</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
			<Expiration>%[4]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`,
			action, role, by, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func fakeAgent(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"AccessKeyId":"ASIAAGENT %s %s","SecretAccessKey":"s","Token":"t","Expiration":%q}`,
			r.URL.RequestURI(), r.Header.Get("Authorization"), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(srv.Close)
	return srv
}

// Each source of credentials, with all that stand behind it in the chain.
func TestChain(t *testing.T) {
	tokenFile := filepath.Join(t.TempDir(), "token")
	os.WriteFile(tokenFile, []byte("jwt"), 0o600)
	agentToken := filepath.Join(t.TempDir(), "agent")
	os.WriteFile(agentToken, []byte("secret"), 0o600)
	sts, agent, i := fakeSTS(t), fakeAgent(t), newInstance(t)

	keys := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}
	web := map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": tokenFile, "AWS_ROLE_ARN": "arn:aws:iam::1:role/web"}
	container := map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.URL + "/v1?x=1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "plain"}
	tests := []struct {
		name              string
		env               []map[string]string
		config            string
		wantKey, wantFrom string
	}{
		{"environment", []map[string]string{keys, web, container}, "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s", "AKIAENV", "environment"},
		{"web identity", []map[string]string{web, container}, "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s", "web by token:jwt", "web identity"},
		{"profile", []map[string]string{container}, "[default]\naws_access_key_id=AKIAFILE\naws_secret_access_key=s", "AKIAFILE", "profile default"},
		{"named profile", []map[string]string{{"AWS_PROFILE": "work"}}, "[profile work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=s", "AKIAWORK", "profile work"},
		{"role by another profile", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\n[profile base]\naws_access_key_id=AKIABASE\naws_secret_access_key=s", "r by AKIABASE", "profile default"},
		{"role by a role", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r2\nsource_profile=mid\n[profile mid]\nrole_arn=arn:aws:iam::1:role/r1\ncredential_source=Ec2InstanceMetadata", "r2 by r1 by ASIAROLE", "profile default"},
		{"role by the instance", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r\ncredential_source=Ec2InstanceMetadata", "r by ASIAROLE", "profile default"},
		{"role by the container", []map[string]string{container}, "[default]\nrole_arn=arn:aws:iam::1:role/r\ncredential_source=EcsContainer", "r by ASIAAGENT ", "profile default"},
		{"web identity in the profile", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r\nweb_identity_token_file=" + tokenFile, "r by token:jwt", "profile default"},
		{"process", nil, `[default]` + "\n" + `credential_process=echo '{"Version":1,"AccessKeyId":"ASIAPROC","SecretAccessKey":"s"}'`, "ASIAPROC", "profile default"},
		{"container", []map[string]string{container}, "[default]\nregion=us-east-1", "ASIAAGENT /v1?x=1 plain", "container endpoint"},
		{"container with a token file", []map[string]string{container, {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": agentToken}}, "", "ASIAAGENT /v1?x=1 secret", "container endpoint"},
		{"instance", nil, "", "ASIAROLE", "instance role"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"AWS_REGION": "ap-northeast-1", "AWS_ENDPOINT_URL_STS": sts.URL}
			for _, more := range tt.env {
				for k, v := range more {
					env[k] = v
				}
			}
			s := source(t, env)
			s.IMDS = &imds.Client{Endpoint: i.URL}
			files(t, s, tt.config, "")
			c := load(t, s)
			if got := keyOf(t, c); !strings.HasPrefix(got, tt.wantKey) || c.CredentialsOrigin != tt.wantFrom {
				t.Errorf("%q from %q, want %q from %q", got, c.CredentialsOrigin, tt.wantKey, tt.wantFrom)
			}
		})
	}
}

func TestRegion(t *testing.T) {
	i := newInstance(t)
	tests := []struct {
		name             string
		env              map[string]string
		config           string
		region, wantFrom string
	}{
		{"AWS_REGION", map[string]string{"AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2"}, "[default]\nregion=r3", "r1", "AWS_REGION"},
		{"AWS_DEFAULT_REGION", map[string]string{"AWS_DEFAULT_REGION": "r2"}, "[default]\nregion=r3", "r2", "AWS_DEFAULT_REGION"},
		{"profile", nil, "[default]\nregion=r3", "r3", "profile default"},
		{"named profile", map[string]string{"AWS_PROFILE": "w"}, "[default]\nregion=r3\n[profile w]\nregion=r4", "r4", "profile w"},
		{"instance", nil, "", "eu-central-1", "instance metadata"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := source(t, tt.env)
			s.IMDS = &imds.Client{Endpoint: i.URL}
			files(t, s, tt.config, "")
			if c := load(t, s); c.Region != tt.region || c.RegionOrigin != tt.wantFrom {
				t.Errorf("%q from %q, want %q from %q", c.Region, c.RegionOrigin, tt.region, tt.wantFrom)
			}
		})
	}
}

func TestSharedFilesWhereTheEnvironmentSays(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "c"), []byte("[profile w]\nregion=r"), 0o600)
	os.WriteFile(filepath.Join(dir, "k"), []byte("[w]\naws_access_key_id=AKIAK\naws_secret_access_key=s"), 0o600)
	c := load(t, source(t, map[string]string{
		"AWS_CONFIG_FILE": filepath.Join(dir, "c"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "k"), "AWS_DEFAULT_PROFILE": "w",
	}))
	if c.Region != "r" || keyOf(t, c) != "AKIAK" {
		t.Errorf("found %+v", c)
	}
}

func TestLoadErrors(t *testing.T) {
	tests := []struct {
		name   string
		env    map[string]string
		config string
		want   func(error) bool
		text   string
	}{
		{
			"no secret", map[string]string{"AWS_ACCESS_KEY_ID": "AKIA"}, "",
			func(err error) bool {
				e, ok := as[*HalfPairError](err)
				return ok && e.Missing == "AWS_SECRET_ACCESS_KEY"
			}, "",
		},
		{
			"no id", map[string]string{"AWS_SECRET_ACCESS_KEY": "do-not-print"}, "",
			func(err error) bool { e, ok := as[*HalfPairError](err); return ok && e.Missing == "AWS_ACCESS_KEY_ID" }, "",
		},
		{
			"token file alone", map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, "",
			func(err error) bool { e, ok := as[*HalfPairError](err); return ok && e.Missing == "AWS_ROLE_ARN" }, "",
		},
		{
			"no such profile", map[string]string{"AWS_PROFILE": "gone"}, "",
			func(err error) bool { _, ok := as[config.SharedConfigProfileNotExistError](err); return ok }, "gone",
		},
		{
			"source profile goes round", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=b\n[profile b]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=default",
			func(err error) bool { return err != nil }, "profile",
		},
		{
			"role without a source", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r\ncredential_source=EcsContainer",
			func(err error) bool { return err != nil }, "no credentials to take role_arn with",
		},
		{
			"MFA", nil, "[default]\nrole_arn=arn:aws:iam::1:role/r\nmfa_serial=m\nsource_profile=b\n[profile b]\naws_access_key_id=A\naws_secret_access_key=do-not-print",
			func(err error) bool { return err != nil }, "mfa_serial",
		},
		{
			"foreign agent", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.7/creds"}, "",
			func(err error) bool { e, ok := as[*HostError](err); return ok && e.Host == "192.0.2.7" }, "192.0.2.7",
		},
		{
			"instance metadata as an agent", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.169.254/creds"}, "",
			func(err error) bool { _, ok := as[*HostError](err); return ok }, "",
		},
		{
			"no URL", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "creds"}, "",
			func(err error) bool { return err != nil }, `"creds" is not of the form`,
		},
		{
			"endpoint mode", map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv5"}, "",
			func(err error) bool { return err != nil }, "IPv5",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"AWS_REGION": "ap-northeast-1"}
			for k, v := range tt.env {
				env[k] = v
			}
			s := source(t, env)
			files(t, s, tt.config, "")
			_, err := s.Load(t.Context())
			if !tt.want(err) || !strings.Contains(fmt.Sprint(err), tt.text) {
				t.Errorf("error is %v", err)
			}
			if strings.Contains(fmt.Sprintf("%+v", err), "do-not-print") {
				t.Errorf("a secret shows in %v", err)
			}
		})
	}
}

func as[E error](err error) (E, bool) {
	var e E
	ok := errors.As(err, &e)
	return e, ok
}

func TestNoRegion(t *testing.T) {
	s := source(t, map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": nowhere})
	_, err := s.Load(t.Context())
	if !errors.Is(err, ErrNoRegion) || !errors.Is(err, imds.ErrNotDetected) {
		t.Errorf("error is %v", err)
	}
}

// What the instance has told already is not asked again; the order of the
// chain stays, and so does a switch that turns the instance off.
func TestRoleThatIsKnown(t *testing.T) {
	known := &imds.Credentials{AccessKeyID: "ASIAKNOWN", SecretAccessKey: "s", Token: "t", Expiration: time.Now().Add(time.Hour)}
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string // access key, "" for an error
	}{
		{"alone", nil, "ASIAKNOWN"},
		{"behind the environment", map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s"}, "AKIAENV"},
		{"switched off", map[string]string{"AWS_EC2_METADATA_DISABLED": "true"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := newInstance(t)
			s := source(t, tt.env)
			get := s.Getenv
			s.Getenv = func(name string) string {
				if name == "AWS_REGION" {
					return "ap-northeast-1"
				}
				return get(name)
			}
			s.IMDS, s.Role = &imds.Client{Endpoint: i.URL}, known
			got, err := load(t, s).Credentials.Retrieve(t.Context())
			if got.AccessKeyID != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("key %q, error %v, want %q", got.AccessKeyID, err, tt.want)
			}
			if n := i.requests.Load(); n != 0 {
				t.Errorf("the instance was asked %d times", n)
			}
		})
	}
}

func TestDisabled(t *testing.T) {
	i := newInstance(t)
	s := source(t, map[string]string{"AWS_EC2_METADATA_DISABLED": "TRUE"})
	s.IMDS = &imds.Client{Endpoint: i.URL}
	if _, err := s.Load(t.Context()); !errors.Is(err, ErrIMDSDisabled) || !errors.Is(err, ErrNoRegion) {
		t.Errorf("region: %v", err)
	}
	s = source(t, map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "r"})
	s.IMDS = &imds.Client{Endpoint: i.URL}
	if _, err := load(t, s).Credentials.Retrieve(t.Context()); !errors.Is(err, ErrIMDSDisabled) {
		t.Errorf("credentials: %v", err)
	}
	if _, err := s.NewIMDS(t.Context(), imds.Never); !errors.Is(err, ErrIMDSDisabled) {
		t.Errorf("client: %v", err)
	}
	if n := i.requests.Load(); n != 0 {
		t.Errorf("the instance was asked %d times", n)
	}
}

func TestEndpoints(t *testing.T) {
	tests := []struct {
		name   string
		env    map[string]string
		config string
		want   Endpoints
	}{
		{"none", nil, "", Endpoints{}},
		{"for all", map[string]string{"AWS_ENDPOINT_URL": "a"}, "", Endpoints{"a", "a", "a", "a"}},
		{
			"for each", map[string]string{
				"AWS_ENDPOINT_URL": "a", "AWS_ENDPOINT_URL_STS": "b", "AWS_ENDPOINT_URL_BEDROCK": "c", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "d",
			}, "", Endpoints{STS: "b", SSM: "a", Bedrock: "c", BedrockRuntime: "d"},
		},
		{
			"profile", nil, "[default]\nendpoint_url=p\nservices=s\n[services s]\nbedrock_runtime=\n  endpoint_url=q\n",
			Endpoints{STS: "p", SSM: "p", Bedrock: "p", BedrockRuntime: "q"},
		},
		{"environment before the profile", map[string]string{"AWS_ENDPOINT_URL": "a"}, "[default]\nendpoint_url=p", Endpoints{"a", "a", "a", "a"}},
		{"ignored", map[string]string{"AWS_ENDPOINT_URL": "a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", Endpoints{}},
		{"ignored by the profile", map[string]string{"AWS_ENDPOINT_URL": "a"}, "[default]\nignore_configured_endpoint_urls=true", Endpoints{}},
		{
			"not ignored after all", map[string]string{"AWS_ENDPOINT_URL": "a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
			"[default]\nignore_configured_endpoint_urls=true", Endpoints{"a", "a", "a", "a"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := map[string]string{"AWS_REGION": "r"}
			for k, v := range tt.env {
				env[k] = v
			}
			s := source(t, env)
			files(t, s, tt.config, "")
			if diff := cmp.Diff(tt.want, load(t, s).Endpoints); diff != "" {
				t.Errorf("endpoints (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRoleIsReadOnce(t *testing.T) {
	i := newInstance(t)
	s := source(t, map[string]string{"AWS_REGION": "r"})
	s.IMDS = &imds.Client{Endpoint: i.URL}
	s.OnExpired = func(time.Time) { t.Error("fresh credentials are said to be expired") }
	c := load(t, s)
	for range 5 {
		keyOf(t, c)
	}
	if n := i.document.Load(); n != 1 {
		t.Errorf("the credentials were read %d times", n)
	}
	if p, ok := c.Credentials.(aws.CredentialProviderSource); !ok || !cmp.Equal(p.ProviderSources(), []aws.CredentialSource{aws.CredentialSourceIMDS}) {
		t.Error("the provider does not say that it is an instance's")
	}
}

func TestExpiredCredentialsAreUsedAndReported(t *testing.T) {
	i := newInstance(t)
	ended := time.Now().Add(-time.Hour).Truncate(time.Second)
	i.expires.Store(ended)
	s := source(t, map[string]string{"AWS_REGION": "r"})
	s.IMDS = &imds.Client{Endpoint: i.URL}
	var reported []time.Time
	s.OnExpired = func(at time.Time) { reported = append(reported, at) }
	c := load(t, s)
	for range 3 {
		if keyOf(t, c) != "ASIAROLE" {
			t.Error("not the role's key")
		}
	}
	if len(reported) != 1 || !reported[0].Equal(ended) {
		t.Errorf("reported %v, want once %v", reported, ended)
	}
	if n := i.document.Load(); n != 1 {
		t.Errorf("the credentials were read %d times, want once a minute", n)
	}
}

func TestRoleOutlivesATrouble(t *testing.T) {
	i := newInstance(t)
	r := role{metadata: metadata{client: &imds.Client{Endpoint: i.URL}}}
	last := aws.Credentials{AccessKeyID: "A", SecretAccessKey: "s", CanExpire: true, Expires: time.Now()}
	if got, err := r.HandleFailToRefresh(t.Context(), last, errors.New("trouble")); err != nil || got.AccessKeyID != "A" {
		t.Errorf("with credentials at hand: %v, %v", got.AccessKeyID, err)
	}
	if _, err := r.HandleFailToRefresh(t.Context(), aws.Credentials{}, io.EOF); !errors.Is(err, io.EOF) {
		t.Errorf("without: %v", err)
	}
	adjusted, err := r.AdjustExpiresBy(last, -expiryWindow)
	if left := time.Until(adjusted.Expires); err != nil || left <= 0 || left > askAgain {
		t.Errorf("asked again in %v, %v", left, err)
	}
}

func TestRoleErrorsKeepTheirKind(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	tests := []struct {
		endpoint string
		want     error
	}{{nowhere, imds.ErrNotDetected}, {srv.URL, imds.ErrNoV2}}
	for _, tt := range tests {
		s := source(t, map[string]string{"AWS_REGION": "r", "AWS_EC2_METADATA_SERVICE_ENDPOINT": tt.endpoint})
		if _, err := load(t, s).Credentials.Retrieve(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("error is %v, want %v", err, tt.want)
		}
	}
}

func TestMayGiveCredentials(t *testing.T) {
	tests := []struct {
		url string
		ok  bool
	}{
		{"http://127.0.0.1:1/x", true}, {"http://127.3.2.1/x", true}, {"http://[::1]/x", true}, {"http://localhost/x", true},
		{"http://169.254.170.2/x", true}, {"http://169.254.170.23/x", true}, {"http://[fd00:ec2::23]/x", true}, {"http://[::ffff:169.254.170.2]/x", true},
		{"https://agent.example/x", true},
		{"http://169.254.169.254/x", false}, {"http://[fd00:ec2::254]/x", false}, {"http://10.0.0.1/x", false}, {"http://0.0.0.0/x", false},
		{"http:///x", false}, {"169.254.170.2/x", false}, {"http://%zz", false},
	}
	for _, tt := range tests {
		c := imds.Container{FullURI: tt.url}
		if err := c.Check(t.Context()); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.url, err)
		}
	}
}

func TestRelativeURIGoesToTheAgentOfECS(t *testing.T) {
	s := source(t, map[string]string{
		"AWS_REGION": "r", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x", "AWS_CONTAINER_CREDENTIALS_FULL_URI": nowhere,
	})
	var dialled string
	s.Dial = func(_ context.Context, _, addr string) (net.Conn, error) {
		dialled = addr
		return nil, errors.New("no agent here")
	}
	_, err := load(t, s).Credentials.Retrieve(t.Context())
	if dialled != "169.254.170.2:80" || err == nil || !strings.Contains(err.Error(), "http://169.254.170.2/v2/x") {
		t.Errorf("dialled %q, error %v", dialled, err)
	}
}
