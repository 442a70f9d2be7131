package awsfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The canonical request is made here and not by the SDK's signer, which signs
// what it likes to sign (never User-Agent, say): the client's own list of
// signed headers is what counts.

// sign computes the signature that the request should have.
func (c *call) sign(sig signature, scope []string, secret string) string {
	canonical := sha256.Sum256([]byte(c.canonicalRequest(sig)))
	toSign := strings.Join([]string{
		algorithm, sig.date, strings.Join(scope[1:], "/"), hex.EncodeToString(canonical[:]),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range scope[1:] {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

func hmacSHA256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonicalRequest is the text that is signed. The body counts as it is: none
// of the operations here may be sent with an unsigned payload.
func (c *call) canonicalRequest(sig signature) string {
	hash := sha256.Sum256(c.sent)
	return strings.Join([]string{
		c.Request.Method,
		canonicalPath(c.Request.URL),
		canonicalQuery(c.Request.URL),
		canonicalHeaders(c.Request, sig.signedHeaders),
		sig.signedHeaders,
		hex.EncodeToString(hash[:]),
	}, "\n")
}

// canonicalPath escapes the path as it was sent once more: that is how all
// services but S3 sign it.
func canonicalPath(u *url.URL) string {
	sent := u.EscapedPath()
	clean := path.Clean("/" + sent)
	if strings.HasSuffix(sent, "/") && clean != "/" {
		clean += "/"
	}
	segments := strings.Split(clean, "/")
	for i, segment := range segments {
		segments[i] = escape(segment)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery sorts the escaped parameters. The signature of a presigned
// URL can't be part of what it signs.
func canonicalQuery(u *url.URL) string {
	var pairs [][2]string
	for name, values := range u.Query() {
		for _, value := range values {
			if name != "X-Amz-Signature" {
				pairs = append(pairs, [2]string{escape(name), escape(value)})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var parameters []string
	for _, pair := range pairs {
		parameters = append(parameters, pair[0]+"="+pair[1])
	}
	return strings.Join(parameters, "&")
}

// escape leaves only RFC 3986's unreserved characters.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// canonicalHeaders are the signed headers, one a line, spaces run together.
func canonicalHeaders(r *http.Request, signed string) string {
	var b strings.Builder
	for name := range strings.SplitSeq(signed, ";") {
		var values []string
		for _, value := range headerValues(r, name) {
			values = append(values, strings.Join(strings.Fields(value), " "))
		}
		b.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return b.String()
}

// headerValues finds also those headers that net/http moves elsewhere.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host", authority:
		return []string{r.Host}
	case "content-length":
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	case "transfer-encoding":
		return r.TransferEncoding
	}
	return r.Header.Values(name)
}
