package emulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tegata/internal/fault"
)

const tokenPath = "/latest/api/token"

// Names of headers in the form of [http.CanonicalHeaderKey], which is also
// how the service writes them.
const (
	headerTTL       = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	headerToken     = "X-Aws-Ec2-Metadata-Token"
	headerForwarded = "X-Forwarded-For"
)

var (
	serverName   = []string{"EC2ws"}
	nitroRanges  = []string{"none"}
	legacyRanges = []string{"bytes"}
)

// handle answers on whatever wire, and lets OnRequest know.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if s.onRequest != nil {
		s.report(w, r)
		return
	}
	s.respond(w, r)
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Server"] = serverName
	now := s.service.Load()
	if s.ownClock {
		h["Date"] = []string{s.date()}
	}
	if now.options.Replies == nil {
		now.answer(w, r)
		return
	}
	call := fault.Call{Service: "imds", Method: r.Method, Path: singleSlashes(r.URL.Path)}
	reply := now.options.Replies.Find(call)
	if reply == nil {
		now.answer(w, r)
		return
	}
	reply.Serve(w, patient(w, r), now.errorBody, http.HandlerFunc(now.answer))
}

// answer refuses a PUT to anywhere but the token's one path, which has neither
// another version nor a slash at its end (aws-beam/aws_credentials#47), and
// every request that expects a 100 Continue (s3fs-fuse/s3fs-fuse#1765).
func (s *service) answer(w http.ResponseWriter, r *http.Request) {
	path := singleSlashes(r.URL.Path)
	switch {
	case r.Header["Expect"] != nil:
		s.refuse(w, r, http.StatusExpectationFailed)
	case !s.bucket.take():
		s.refuse(w, r, s.options.Throttle.Status)
	case s.options.Disabled:
		s.refuse(w, r, http.StatusForbidden)
	case path == tokenPath:
		s.answerToken(w, r)
	case r.Method == http.MethodPut:
		s.refuse(w, r, http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		s.refuse(w, r, http.StatusMethodNotAllowed)
	default:
		s.answerGet(w, r, strings.TrimSuffix(path, "/"))
	}
}

func (s *service) answerToken(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		if s.distance(r) >= s.options.HopLimit {
			lose.Serve(w, patient(w, r), nil, nil)
			return
		}
		if own := ownReply(w); own != nil {
			own.hopLimit = s.options.HopLimit
		}
		s.answerPut(w, r)
	case http.MethodOptions:
		w.Header().Set("Allow", "OPTIONS, PUT")
		s.refuse(w, r, http.StatusOK)
	default:
		w.Header().Set("Allow", "OPTIONS, PUT")
		s.refuse(w, r, http.StatusMethodNotAllowed)
	}
}

// lose accepts a request and never answers it, which is what a client sees
// when the answer's IP time to live is used up on the way.
var lose = &fault.Reply{Hang: true}

func (s *service) answerPut(w http.ResponseWriter, r *http.Request) {
	seconds, ok := parseTTL(r.Header.Get(headerTTL))
	switch {
	case forwarded(r):
		s.refuse(w, r, http.StatusForbidden)
		return
	case !ok:
		s.refuse(w, r, http.StatusBadRequest)
		return
	}
	token := s.tokens.seal(s.options.Now().Add(time.Duration(seconds) * time.Second))
	h := w.Header()
	h[headerTTL] = []string{strconv.Itoa(seconds)}
	h["Content-Type"] = textPlain
	h["Content-Length"] = []string{strconv.Itoa(len(token))}
	w.Write([]byte(token))
}

func (s *service) answerGet(w http.ResponseWriter, r *http.Request, path string) {
	if status := s.admit(w.Header(), r); status != http.StatusOK {
		s.refuse(w, r, status)
		return
	}
	p := s.page(path)
	if p == nil {
		s.refuse(w, r, http.StatusNotFound)
		return
	}
	s.write(p, w, r)
}

// admit decides whether r may read metadata. With a good token it also tells
// how many seconds that has left, rounded up.
func (s *service) admit(h http.Header, r *http.Request) (status int) {
	tokens := r.Header[headerToken]
	if len(tokens) == 0 {
		if s.options.Tokens == tokensRequired {
			return http.StatusUnauthorized
		}
		return http.StatusOK
	}
	end, ok := s.tokens.open(tokens[0])
	left := end.Sub(s.options.Now())
	switch {
	case !ok || left <= 0:
		return http.StatusUnauthorized
	case forwarded(r):
		return http.StatusForbidden
	}
	h[headerTTL] = []string{strconv.FormatInt(int64((left+time.Second-1)/time.Second), 10)}
	return http.StatusOK
}

// forwarded reports whether a proxy passed the request on: then whoever asks
// is not on the instance.
func forwarded(r *http.Request) bool {
	_, ok := r.Header[headerForwarded]
	return ok
}

func (s *service) write(p *page, w http.ResponseWriter, r *http.Request) {
	body, length := p.body, p.length
	h := w.Header()
	if p.dynamic != nil {
		body = p.dynamicBody(h[headerTTL] == nil)
		length = []string{strconv.Itoa(len(body))}
	}
	h["Content-Type"] = p.mediaType
	h["Content-Length"] = length
	h["Accept-Ranges"] = nitroRanges
	if s.options.Profile == ProfileLegacy {
		h["Accept-Ranges"] = legacyRanges
	}
	h["Last-Modified"] = p.lastModified
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

func (p *page) dynamicBody(withoutToken bool) []byte {
	if withoutToken && p.bare != nil {
		return p.bare()
	}
	return p.dynamic()
}

// singleSlashes serves the JavaScript SDK, which asks for //latest/api/token.
func singleSlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}
