package awsfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/iam"
	"tegata/awsfake/wire"
)

// Signature Version 4, seen from the side that verifies:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
	authority  = ":authority" // stands for the host in HTTP/2; the JavaScript SDK signs it
)

// A signature is what a request says of its own signing.
type signature struct {
	algorithm     string
	credential    string // key/date/region/service/aws4_request
	signedHeaders string
	value         string // in hex
	date          string
	token         string
	lifetime      time.Duration // of a presigned URL
	presigned     bool
	text          string // for error messages
}

// readSignature takes the signature from the Authorization header or, for a
// presigned URL, from the query.
func readSignature(r *http.Request) signature {
	q := r.URL.Query()
	if q.Has("X-Amz-Algorithm") {
		seconds, _ := strconv.Atoi(q.Get("X-Amz-Expires"))
		return signature{
			algorithm: q.Get("X-Amz-Algorithm"), credential: q.Get("X-Amz-Credential"),
			signedHeaders: q.Get("X-Amz-SignedHeaders"), value: q.Get("X-Amz-Signature"),
			date: q.Get("X-Amz-Date"), token: q.Get("X-Amz-Security-Token"),
			lifetime: time.Duration(seconds) * time.Second, presigned: true, text: r.URL.RawQuery,
		}
	}
	header := r.Header.Get("Authorization")
	s := signature{text: header, date: r.Header.Get("X-Amz-Date"), token: r.Header.Get("X-Amz-Security-Token")}
	if s.date == "" {
		s.date = basicDate(r.Header.Get("Date"))
	}
	var parameters string
	s.algorithm, parameters, _ = strings.Cut(header, " ")
	for parameter := range strings.SplitSeq(parameters, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch name {
		case "Credential":
			s.credential = value
		case "SignedHeaders":
			s.signedHeaders = value
		case "Signature":
			s.value = value
		}
	}
	return s
}

// signed reports whether a request carries a signature at all.
func signed(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || r.URL.Query().Has("X-Amz-Algorithm")
}

// basicDate turns an HTTP date into the form that signatures use.
func basicDate(s string) string {
	if t, err := http.ParseTime(s); err == nil {
		return t.UTC().Format(timeFormat)
	}
	return s
}

// scopeService is the service that the signature is meant for, if any.
func scopeService(r *http.Request) string {
	if scope := strings.Split(readSignature(r).credential, "/"); len(scope) == 5 {
		return scope[3]
	}
	return ""
}

// authenticate verifies the signature, in the order in which AWS does, and
// sets the call's region and caller.
func (s *Server) authenticate(c *call) error {
	sig := readSignature(c.Request)
	if scheme := strings.ToLower(sig.algorithm); scheme == "bearer" && c.Protocol == wire.RESTJSON {
		return wire.Forbidden("AccessDeniedException", wire.BadAPIKey)
	}
	if !sig.presigned && !strings.HasPrefix(sig.algorithm, "AWS4-") {
		return c.unsigned()
	}
	if err := c.checkForm(sig); err != nil {
		return err
	}
	if err := c.checkTime(sig, s.options.Now()); err != nil {
		return err
	}
	scope := strings.Split(sig.credential, "/")
	if err := c.checkScope(sig, scope); err != nil {
		return err
	}
	c.Region = scope[2]
	s.account.Lock()
	credential, ok := s.credential(c.Call, scope[0])
	enabled := c.Region == s.options.Region || s.of.ec2.State.Enabled(c.Region)
	s.account.Unlock()
	if !ok || credential.Inactive || !enabled { // a region that is not enabled knows no key of the account
		return c.unknownKey()
	}
	if !hmac.Equal([]byte(sig.value), []byte(c.sign(sig, scope, credential.SecretAccessKey))) {
		return c.badSignature("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if err := c.checkToken(sig, credential, s.options.Now()); err != nil {
		return err
	}
	s.used(c.Call, scope)
	return nil
}

// used notes that a key has signed a call.
func (s *Server) used(c *wire.Call, scope []string) {
	s.account.Lock()
	defer s.account.Unlock()
	use := iam.Use{At: c.Now(), Service: scope[3], Region: c.Region}
	s.of.iam.Used(scope[0], use)
	s.of.iam.UsedRole(c.Caller.Role, use)
}

// checkForm refuses a signature that lacks a part or has a malformed one.
func (c *call) checkForm(sig signature) error {
	var missing strings.Builder
	for _, p := range []struct{ name, value string }{
		{"Credential", sig.credential}, {"Signature", sig.value}, {"SignedHeaders", sig.signedHeaders},
	} {
		if p.value == "" {
			fmt.Fprintf(&missing, "Authorization header requires '%s' parameter. ", p.name)
		}
	}
	if sig.date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		sum := sha256.Sum256([]byte(sig.text))
		return c.incomplete(missing.String() + "(Hashed with SHA-256 and encoded with Base64) Authorization=" +
			base64.StdEncoding.EncodeToString(sum[:]))
	}
	if _, err := time.Parse(timeFormat, sig.date); err != nil {
		return c.incomplete("Date must be in ISO-8601 'basic format'. Got '" + sig.date + "'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	if signed := strings.Split(strings.ToLower(sig.signedHeaders), ";"); !slices.Contains(signed, "host") && !slices.Contains(signed, authority) {
		return c.badSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if sig.algorithm != algorithm {
		return c.incomplete("Unsupported AWS 'algorithm': '" + sig.algorithm + "' (only " + algorithm + " for now). ")
	}
	if strings.Count(sig.credential, "/") != 4 {
		return c.incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + sig.credential + "'")
	}
	return nil
}

// checkTime refuses a signature made too long ago or in the future.
func (c *call) checkTime(sig signature, now time.Time) error {
	signed, _ := time.Parse(timeFormat, sig.date)
	skew := c.maxSkew()
	age := max(skew, sig.lifetime)
	format := func(t time.Time) string { return t.UTC().Format(timeFormat) }
	now = now.UTC().Truncate(time.Second)
	if oldest := now.Add(-age); signed.Before(oldest) {
		return c.badSignature(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %d min.)",
			sig.date, format(oldest), format(now), age/time.Minute))
	}
	if newest := now.Add(skew); signed.After(newest) {
		return c.badSignature(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %d min.)",
			sig.date, format(newest), format(now), skew/time.Minute))
	}
	return nil
}

// maxSkew is how far the clocks may differ: STS is the more patient.
func (c *call) maxSkew() time.Duration {
	if c.Protocol == wire.Query {
		return 15 * time.Minute
	}
	return 5 * time.Minute
}

// checkScope compares the credential scope with the region, service and day;
// AWS tells all that is wrong with it at once.
func (c *call) checkScope(sig signature, scope []string) error {
	var wrong strings.Builder
	if endpoint := c.endpoint.region; !wire.KnownRegion(scope[2]) || endpoint != "" && endpoint != scope[2] {
		wrong.WriteString("Credential should be scoped to a valid region. ")
	}
	if scope[3] != c.signingName {
		fmt.Fprintf(&wrong, "Credential should be scoped to correct service: '%s'. ", c.signingName)
	}
	if scope[4] != terminator {
		fmt.Fprintf(&wrong, "Credential should be scoped with a valid terminator: '%s', not '%s'. ", terminator, scope[4])
	}
	if day := sig.date[:len(dateFormat)]; scope[1] != day {
		fmt.Fprintf(&wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'. ",
			scope[1], day, sig.date)
	}
	if wrong.Len() > 0 {
		return c.badSignature(wrong.String())
	}
	return nil
}

// checkToken refuses a session token that is missing, of another session or
// past its end.
func (c *call) checkToken(sig signature, credential Credential, now time.Time) error {
	if !hmac.Equal([]byte(sig.token), []byte(credential.SessionToken)) {
		return c.unknownKey()
	}
	if !credential.Expires.IsZero() && !now.Before(credential.Expires) {
		return c.authFailure("ExpiredToken", "ExpiredTokenException", "The security token included in the request is expired")
	}
	c.Caller = credential.Caller
	return nil
}

func (c *call) unsigned() error {
	message := "Request is missing Authentication Token"
	if c.Protocol == wire.RESTJSON {
		message = "Missing Authentication Token"
	}
	return c.authFailure("MissingAuthenticationToken", "MissingAuthenticationTokenException", message)
}

func (c *call) incomplete(message string) error {
	return c.authFailure("IncompleteSignature", "IncompleteSignatureException", message)
}

func (c *call) badSignature(message string) error {
	return c.authFailure("SignatureDoesNotMatch", "InvalidSignatureException", message)
}

func (c *call) unknownKey() error {
	return c.authFailure("InvalidClientTokenId", "UnrecognizedClientException", "The security token included in the request is invalid.")
}

// authFailure names the error as the query protocol or as the JSON ones do.
// EC2 has names of its own, and tells little.
func (c *call) authFailure(query, json, message string) error {
	code := json
	switch {
	case c.Protocol == wire.Query:
		code = query
	case c.Protocol == wire.EC2Query && query == "ExpiredToken":
		return wire.Refuse("RequestExpired", "Request has expired.")
	case c.Protocol == wire.EC2Query:
		code, message = "AuthFailure", "AWS was not able to validate the provided access credentials"
	}
	return &wire.Error{Status: c.Protocol.AuthStatus(), Code: code, Message: message}
}
