package shell

import (
	"slices"
	"strings"
	"sync"
)

// wgetShort and wgetLong are wget's options that take a value.
//
// Source: https://www.gnu.org/software/wget/manual/wget.html
const wgetShort = "AaBDeIilOoPQRTtUwX"

var wgetLong = sync.OnceValue(func() []string {
	return strings.Fields(`
	accept append-output base bind-address body-data body-file ca-certificate ca-directory certificate
	certificate-type connect-timeout config cut-dirs default-page directory-prefix dns-timeout domains exclude-directories
	execute header http-password http-user include-directories input-file level limit-rate local-encoding
	max-redirect method output-document output-file password post-data post-file prefer-family private-key
	progress quota read-timeout referer reject remote-encoding secure-protocol timeout tries user user-agent
	wait waitretry`)
})

func (r *request) readWget(args []field) {
	r.fails = true // with status 8, 6 for 401
	options, rest := options(slices.DeleteFunc(slices.Clone(args), switchesOff), wgetShort, wgetLong())
	r.urls = rest
	for _, o := range options {
		r.wget(o)
	}
}

// switchesOff reports whether an option is one of -nv, -nd, -nc and the like.
func switchesOff(f field) bool { return len(f.text) == 3 && strings.HasPrefix(f.text, "-n") }

func (r *request) wget(o option) {
	switch o.name {
	case "--method":
		r.method = strings.ToUpper(o.text())
	case "--post-data", "--post-file":
		r.method = "POST"
	case "--spider":
		r.method, r.discard = "HEAD", true
	case "--header":
		if o.value != nil {
			r.headers = append(r.headers, *o.value)
		}
	case "-d", "--debug":
		r.leaks = &o.from
	case "-O", "--output-document":
		r.discard = discards(o.text())
	case "-T", "--timeout", "-t", "--tries", "--connect-timeout", "--read-timeout", "--dns-timeout", "--waitretry", "-e", "--execute":
		if o.value != nil {
			r.keep = append(r.keep, kept{o.name, o.value})
		}
	case "--no-proxy", "--retry-connrefused", "-4", "--inet4-only", "-6", "--inet6-only":
		r.keep = append(r.keep, kept{o.name, nil})
	}
}

// readHTTPie reads http [METHOD] URL [ITEM…].
//
// Source: https://httpie.io/docs/cli/optional-get-and-post
func (r *request) readHTTPie(args []field) {
	options, rest := options(args, "asoprAx", []string{"auth", "session", "output", "print", "proxy", "timeout", "max-redirects", "style", "pretty", "verify"})
	for _, o := range options {
		r.fails = r.fails || o.name == "--check-status"
		if o.name == "-v" || o.name == "--verbose" {
			r.leaks = &o.from
		}
	}
	if len(rest) > 1 && slices.Contains([]string{"GET", "PUT", "POST", "HEAD", "get", "put"}, rest[0].text) {
		r.method, rest = strings.ToUpper(rest[0].text), rest[1:]
	}
	if len(rest) > 0 {
		r.urls, r.headers = rest[:1], rest[1:]
	}
}

// readOther reads clients of which only the URL matters, and the header where
// they can send one.
func (r *request) readOther(args []field) {
	options, rest := options(args, "oHxX", []string{"header", "dir", "out", "timeout", "max-tries", "user-agent", "output"})
	r.urls = rest
	for _, o := range options {
		if o.name == "--header" || o.name == "-H" {
			if o.value != nil {
				r.headers = append(r.headers, *o.value)
			}
		}
		if o.name == "-header" {
			r.configured = true
		}
	}
	if r.client == "HEAD" {
		r.method = "HEAD"
	}
}
