package shell

import (
	"slices"
	"strings"
	"sync"
)

// curlShort are curl's short options that take a value.
//
// Source: https://curl.se/docs/manpage.html
const curlShort = "AbcCdDeEFhHKmoPQrtTuUwxXyYz"

// curlLong are curl's long options that take a value, as far as anybody would
// write them in a request of an instance for its own metadata.
var curlLong = sync.OnceValue(func() []string {
	return strings.Fields(`
	abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to
	continue-at cookie cookie-jar create-file-mode data data-ascii data-binary data-raw data-urlencode dns-interface
	dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header expect100-timeout form form-string happy-eyeballs-timeout-ms
	header hsts interface ip-tos ipfs-gateway json keepalive-time key key-type limit-rate local-port max-filesize max-redirs
	max-time netrc-file noproxy oauth2-bearer output output-dir parallel-max pass pinnedpubkey preproxy proto
	proto-default proto-redir proxy proxy-header proxy-user proxy1.0 quote range rate referer request request-target
	resolve retry retry-delay retry-max-time service-name socks4 socks4a socks5 socks5-hostname speed-limit speed-time
	stderr time-cond tls-max trace trace-ascii trace-config unix-socket upload-file url url-query user user-agent variable vlan-priority
	write-out`)
})

func (r *request) readCurl(args []field) {
	options, rest := options(args, curlShort, curlLong())
	r.urls = rest
	if len(args) > 0 && (strings.HasPrefix(args[0].text, "-q") || args[0].text == "--disable") {
		r.first = &args[0]
		if slices.ContainsFunc(options, func(o option) bool { return len(args) > 1 && o.value == &args[1] && o.from.at == args[0].at }) {
			r.first = &args[1]
		}
	}
	for _, o := range options {
		r.curl(o)
	}
}

func (r *request) curl(o option) {
	switch o.name {
	case "-X", "--request":
		r.method = strings.ToUpper(o.text())
	case "-I", "--head":
		r.method = "HEAD"
	case "-T", "--upload-file":
		r.method = "PUT"
	case "-d", "--data", "--data-ascii", "--data-binary", "--data-raw", "--data-urlencode", "-F", "--form", "--json":
		if r.method == "GET" {
			r.method = "POST"
		}
	case "-H", "--header":
		if o.value != nil {
			r.headers = append(r.headers, *o.value)
		}
	case "-K", "--config":
		r.configured = true
	case "--url":
		if o.value != nil {
			r.urls = append(r.urls, *o.value)
		}
	case "-f", "--fail", "--fail-with-body":
		r.fails = true
	case "-v", "--verbose", "--trace", "--trace-ascii":
		r.leaks = &o.from
	case "-o", "--output":
		r.discard = discards(o.text())
	case "-w", "--write-out":
		r.status = strings.Contains(o.text(), "http_code") || strings.Contains(o.text(), "response_code")
	case "-:", "--next":
		r.next = true
	case "-m", "--max-time", "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time", "--noproxy", "-x", "--proxy", "--interface":
		if o.value != nil {
			r.keep = append(r.keep, kept{o.name, o.value})
		}
	case "--retry-connrefused", "--retry-all-errors", "-4", "--ipv4", "-6", "--ipv6":
		r.keep = append(r.keep, kept{o.name, nil})
	}
}
