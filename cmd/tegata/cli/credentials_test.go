package cli_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tegata/cmd/tegata/cli"
)

// TestContainerCredentials has an agent answer as those of EKS, of ECS and of
// neither do, in an environment that keeps programs from the instance.
func TestContainerCredentials(t *testing.T) {
	t.Parallel()
	const keys = `"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"secret","Token":"session"`
	const told = "tegata: these are the credentials of the container, because AWS_CONTAINER_CREDENTIALS_FULL_URI is set\n"
	tests := []struct {
		name           string
		answer         string
		args           string
		env            []string
		code           int
		stdout, stderr string // of stderr, the beginning
	}{
		{
			"eks", "{" + keys + `,"AccountId":"123456789012","Expiration":"2037-01-02T03:04:05Z"}`, "credentials -o env-no-export", nil,
			0, "AWS_ACCESS_KEY_ID=ASIAEXAMPLE\nAWS_SECRET_ACCESS_KEY=secret\nAWS_SESSION_TOKEN=session\nAWS_CREDENTIAL_EXPIRATION=2037-01-02T03:04:05Z\n", told,
		},
		{
			"ecs, in Japanese", `{"RoleArn":"arn:aws:iam::1:role/r",` + keys + `,"Expiration":"2037-01-02T03:04:05Z"}`, "credentials", []string{"LANG=ja_JP.UTF-8"},
			0, "{\n  \"Version\": 1,\n  \"AccessKeyId\": \"ASIAEXAMPLE\",\n  \"SecretAccessKey\": \"secret\",\n  \"SessionToken\": \"session\",\n  \"Expiration\": \"2037-01-02T03:04:05Z\"\n}\n",
			"tegata: AWS_CONTAINER_CREDENTIALS_FULL_URI が設定されているため、コンテナの認証情報を出力します\n",
		},
		{
			"no end", `{"AccessKeyId":"AKIAEXAMPLE","SecretAccessKey":"secret"}`, "credentials", nil,
			0, "{\n  \"Version\": 1,\n  \"AccessKeyId\": \"AKIAEXAMPLE\",\n  \"SecretAccessKey\": \"secret\"\n}\n", told,
		},
		{
			"expired", "{" + keys + `,"Expiration":"2020-01-02T03:04:05Z"}`, "credentials -o env-no-export", nil,
			0, "AWS_ACCESS_KEY_ID=ASIAEXAMPLE\nAWS_SECRET_ACCESS_KEY=secret\nAWS_SESSION_TOKEN=session\nAWS_CREDENTIAL_EXPIRATION=2020-01-02T03:04:05Z\n",
			told + "tegata: these credentials expired at 2020-01-02T03:04:05Z",
		},
		{"page", "<html>", "credentials", nil, 1, "", told + "tegata: error: GET http://127.0.0.1:"},
		{"foreign host", "", "credentials", []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.7/x"}, 1, "", told + "tegata: error: GET http://192.0.2.7/x: unusable endpoint"},
		{"wrong usage", "", "credentials -o xml", nil, 2, "", "tegata: error: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "hush" {
					w.WriteHeader(http.StatusUnauthorized)
				}
				io.WriteString(w, test.answer)
			}))
			t.Cleanup(agent.Close)
			var stdout, stderr strings.Builder
			code := cli.Main(context.Background(), cli.Process{
				Args: strings.Fields(test.args), Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
				Env: append([]string{
					"HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true",
					"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + agent.URL + "/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN=hush",
				}, test.env...),
			})
			if code != test.code || stdout.String() != test.stdout || !strings.HasPrefix(stderr.String(), test.stderr) {
				t.Errorf("status %d\nstdout %s\nstderr %s", code, stdout.String(), stderr.String())
			}
		})
	}
}
