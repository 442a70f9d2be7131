// Package fault makes a server misbehave on request: rules say which call is
// to be answered how, and a server asks a [Set] of them before it answers.
//
// The rules are the `replies:` of a scenario. Start with [New]; the server
// calls [Set.Find] for each request and [Reply.Serve] on what it gets.
package fault

import "time"

// A Rule says which call is to be answered how. Rules are tried in order and
// the first that matches wins.
type Rule struct {
	Match Match `yaml:"match"`
	Reply Reply `yaml:"reply"`
}

// A Match selects calls. An empty field matches everything; Path, Operation
// and Model may hold * for any run of characters.
type Match struct {
	Service   string `yaml:"service"`   // imds, sts, ssm, bedrock, bedrock-runtime
	Method    string `yaml:"method"`    // GET, PUT, POST
	Path      string `yaml:"path"`      // of the request, decoded
	Operation string `yaml:"operation"` // GetCallerIdentity, ConverseStream, …
	Model     string `yaml:"model"`     // the model id of a Bedrock call
	Times     int    `yaml:"times"`     // how often the rule applies; 0 means always
}

// A Reply replaces or bends the true answer. Status, Body and Code replace
// it; Delay, Drip and Truncate bend whatever is answered; Hang and Reset
// answer nothing at all. Pass leaves the true answer alone, for exceptions to
// the rules below it.
type Reply struct {
	Status   int               `yaml:"status"`   // 0 means 200, or 400 with Code
	Headers  map[string]string `yaml:"headers"`  // set on whatever is answered; an empty value removes the header
	Body     *string           `yaml:"body"`     // nil means the service's own body for Status
	Code     string            `yaml:"code"`     // an AWS error code; the body takes the service's own shape
	Message  string            `yaml:"message"`  // the text of that error
	Hang     bool              `yaml:"hang"`     // accept the request and never answer
	Reset    bool              `yaml:"reset"`    // end the connection with a TCP reset, or the stream of HTTP/2
	Pass     bool              `yaml:"pass"`     // answer truly
	Delay    time.Duration     `yaml:"delay"`    // wait before the first byte
	Drip     Rate              `yaml:"drip"`     // bytes a second, written "10B/s"; 0 means at once
	Truncate *int              `yaml:"truncate"` // end the connection or stream after so many bytes of the body
}

// A Call is what rules are matched against.
type Call struct {
	Service, Method, Path, Operation, Model string
}
