package awsconf

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
)

// identityCenter returns the credentials behind `aws sso login`, from the
// token that it left in the home directory.
func (l loader) identityCenter(p config.SharedConfig) aws.CredentialsProvider {
	region, startURL, tokenKey := p.SSORegion, p.SSOStartURL, p.SSOStartURL
	if p.SSOSession != nil {
		region, startURL, tokenKey = p.SSOSession.SSORegion, p.SSOSession.SSOStartURL, p.SSOSession.Name
	}
	file := l.tokenFile(tokenKey)
	client := sso.New(sso.Options{Region: region, HTTPClient: httpClient(l.HTTPClient)})
	return ssocreds.New(client, p.SSOAccountID, p.SSORoleName, startURL, func(o *ssocreds.Options) {
		o.CachedTokenFilepath = file
		if p.SSOSession != nil {
			oidc := ssooidc.New(ssooidc.Options{Region: region, HTTPClient: httpClient(l.HTTPClient)})
			o.SSOTokenProvider = ssocreds.NewSSOTokenProvider(oidc, file)
		}
	})
}

// tokenFile returns where every SDK keeps a token of IAM Identity Center.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/understanding-sso.html
func (l loader) tokenFile(key string) string {
	sum := sha1.Sum([]byte(key))
	return filepath.Join(l.home(), ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
}

// login returns the credentials behind `aws login`.
func (l loader) login(p config.SharedConfig) (aws.CredentialsProvider, error) {
	dir := first(l.Getenv("AWS_LOGIN_CACHE_DIRECTORY"), filepath.Join(l.home(), ".aws", "login", "cache"))
	file, err := logincreds.StandardCachedTokenFilepath(p.LoginSession, dir)
	if err != nil {
		return nil, err
	}
	client := signin.New(signin.Options{Region: l.found.Region, HTTPClient: httpClient(l.HTTPClient)})
	return logincreds.New(client, file, func(o *logincreds.Options) { o.RestrictPermissions = true }), nil
}

// httpClient returns c as the SDK wants it: an interface that is nil when c
// is.
func httpClient(c *http.Client) aws.HTTPClient {
	if c == nil {
		return nil
	}
	return c
}
