package code

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// wholeFacts are what a program as a whole says, found out when it is asked for.
type wholeFacts struct {
	tokens      func() bool     // it knows session tokens
	conditional func() bool     // it sets that header under a condition
	amazon      func() bool     // it is about EC2
	forged      func() bool     // it is about forged requests
	mocked      func() bool     // it is a test with somebody else in place of the service
	standIns    func() []*call  // what tests call in place of what they test
	types       func() []string // that it declares
	test        func() bool     // it is one of tests
	globals     func() bool     // its functions set names of the file
}

func (p *program) whole() wholeFacts {
	return wholeFacts{
		tokens:      sync.OnceValue(func() bool { return knowsTokens(p.t.Body) }),
		conditional: sync.OnceValue(p.conditionalAnywhere),
		amazon:      sync.OnceValue(func() bool { return aboutAmazon(p.t.Body) }),
		forged: sync.OnceValue(func() bool {
			return forged().MatchString(p.t.Path) || p.test() && forged().MatchString(p.t.Body)
		}),
		mocked: sync.OnceValue(func() bool {
			return p.facts.test() && mocks().MatchString(p.t.Body)
		}),
		globals: sync.OnceValue(func() bool { return strings.Contains(p.t.Body, "global ") }),
		test:    sync.OnceValue(func() bool { return testName().MatchString(p.t.Path) }),
		types: sync.OnceValue(func() (out []string) {
			for i, t := range p.tokens {
				if t.kind == word && t.s == "type" && at(p.tokens, i+1).kind == word {
					out = append(out, p.tokens[i+1].s)
				}
			}
			return out
		}),
		standIns: sync.OnceValue(func() (out []*call) {
			for _, c := range p.calls {
				if standIn().MatchString(c.name) {
					out = append(out, c)
				}
			}
			return out
		}),
	}
}

// knowsTokens reports whether a text has the header of session tokens, or asks
// for one.
func knowsTokens(text string) bool {
	lower := strings.ToLower(text)
	named := strings.Contains(lower, "ec2-metadata-token") || strings.Contains(lower, "ec2_metadata_token")
	return named && tokenHeader().MatchString(text) || strings.Contains(text, scan.TokenPath)
}

var mocks = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(mock\w*|nock|httpretty|responses\.|webmock|stub_request|requests_mock|respx|moto|monkeypatch|patch\(|vcr|gock|httpmock|httptest|wiremock|fakeweb|sinon|jest\.)`)
})
