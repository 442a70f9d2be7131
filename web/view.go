package web

import (
	"html/template"

	"tegata/internal/message"
)

// The templates of templates/*.html are parsed once for each language. These
// names are executed from Go; the rest is the templates' own business.
//
// Whole pages, each with a [Page]:
//
//	chat      Page.Chat is set: a conversation, or the start of one
//	search    Page.Search is set
//	doctor    Page.Doctor is set
//	sign-in   Page.SignIn is set; there is no list and no strip
//	password  Page.Password is set
//	missing   Page.Missing is set: what isn't there, or was refused
//
// Fragments, which the pages use too and which travel as events:
//
//	thread         the children of #thread, with a [Chat]
//	message        one whole article#m-ID, with a [Message]
//	conversations  the children of #conversations, with a []Conversation
//	chain          the whole a#chain, with a [Chain]
//	doctor-report  the children of #doctor, with a [Doctor]
//	problem        one whole .problem, with a [Problem]
//
// Functions in templates:
//
//	T "English phrase" args…   the phrase in the language of the page
//	lang                       "en" or "ja"
//	path "/c/" .ID …           the parts joined, with the prefix of the site before
//	static "app.js"            path of a built file by the name it has before hashing (dist/manifest.json)
const (
	pageChat     = "chat"
	pageSearch   = "search"
	pageDoctor   = "doctor"
	pageSignIn   = "sign-in"
	pagePassword = "password"
	pageMissing  = "missing"

	fragmentThread        = "thread"
	fragmentMessage       = "message"
	fragmentConversations = "conversations"
	fragmentChain         = "chain"
	fragmentDoctor        = "doctor-report"
	fragmentProblem       = "problem"
)

// A Page is what the template of a whole page gets.
type Page struct {
	Name  string       // of the template: chat, search, doctor, sign-in, password, missing
	Title string       // of the tab, without the name of the product
	Lang  message.Lang // of the page
	Theme string       // auto, light or dark: for <html data-theme>
	Here  string       // path and query of this page with the prefix, as the field "next" of forms that come back

	Person      bool   // somebody is signed in, so that signing out and the password make sense
	Unprotected bool   // the site runs without sign-in, on loopback only
	StandIn     bool   // the demo: #stand-in says that nothing here is AWS
	NoTLS       bool   // came from elsewhere without TLS: #no-tls says so
	Events      string // path of the event stream for this page, with the prefix; "" when there is none

	Chain         Chain          // zero State when nobody is signed in
	Conversations []Conversation // newest first; on the page "search" only those that were found
	Query         string         // value of the field q
	Demo          *FaultPanel    // nil when real

	Chat     *Chat
	Search   *Search
	Doctor   *Doctor
	SignIn   *SignIn
	Password *Password
	Missing  *Missing
}

// A Conversation is one line of the list.
type Conversation struct {
	ID      string
	Title   string
	Group   string // heading that stands before this line ("Today"), "" when the one above goes on
	Updated string // RFC 3339, for <time datetime>
	When    string // the same for people: a time today, else a date
	Current bool   // it is the one that the page shows
	Snippet string // where the search hit, plain text; "" outside of a search
}

// Path returns where the conversation is, without the prefix.
func (c Conversation) Path() string { return "/c/" + c.ID }

// A Chat is one conversation, or the start of one.
type Chat struct {
	ID       string // "" for a new one: the composer posts to /c, else to /c/ID/messages
	Title    string
	System   string       // system prompt
	Model    string       // id of the model that is selected
	Models   []ModelGroup // for the picker; empty when they can't be listed
	Problem  *Problem     // above the composer: why models can't be listed, or why the last question was not taken (without JavaScript)
	Draft    string       // text for the composer that was not taken
	Messages []Message
	Running  string // id of the answer that grows; "" when none: then there is no #stop-form
	ETag     string // of what the thread shows
	Total    string // tokens and cost of the whole conversation, for people; "" for none
}

// Path returns where the composer posts to, without the prefix.
func (c Chat) Path() string {
	if c.ID == "" {
		return "/c"
	}
	return "/c/" + c.ID + "/messages"
}

// A ModelGroup is an optgroup of the picker.
type ModelGroup struct {
	Label  string // the provider; or "can't be called here"
	Models []Model
}

// A Model is an option of the picker.
type Model struct {
	ID       string // value of the option
	Name     string // "Claude Sonnet 4.5"
	Area     string // data-area: jp, us, eu, apac, global, …; "" stays in the region
	Where    string // the same for people: "data stays in Japan"
	Callable bool   // else the option is disabled
	Reason   string // title of the finding why it isn't callable
	Finding  string // its id, TGnnnn
	Ends     string // "ends 2027-01-02", "legacy"; "" when nothing is announced
	Price    string // "$3 / $15" for a million tokens in and out; "" unknown
	Selected bool
}

// A Message is one article of the thread.
type Message struct {
	ID        string
	Role      string          // user or assistant
	State     string          // running, done, stopped, failed, interrupted
	Blocks    []template.HTML // children of .body
	Reasoning string          // plain text the model thought before; "" for none
	Model     string          // name for people
	ModelID   string          // by which it was called
	Tokens    string          // "1,234 in · 567 out"; "" before the end
	Cost      string          // "$0.0123"; "" unknown
	Elapsed   string          // "3.2 s"; "" while running
	Created   string          // RFC 3339
	When      string          // the same for people
	Note      string          // why it ended early: limit of length, filter, stopped, interrupted; "" for nothing to say
	Problem   *Problem        // of a failed answer

	Conversation string // id; form.again posts to /c/CONVERSATION/again
	Last         bool   // the last of the thread: an answer that isn't running shows form.again
}

// User reports whether a person wrote it.
func (m Message) User() bool { return m.Role == "user" }

// Running reports whether it still grows: #stop-form posts to /m/ID/stop.
func (m Message) Running() bool { return m.State == "running" }

// A Problem is an error card.
type Problem struct {
	ID        string // TGnnnn for data-finding; "" when nothing is known
	Title     string
	Cause     string // "" for none, as all below
	Remedy    string
	Command   string // what to type, on one line
	Where     string // heading of Command: where to type it
	Detail    string // AWS's own words
	RequestID string
	Doctor    bool // a link to /doctor makes sense
}

// A Chain is the strip that tells how the way from the instance to the model is.
type Chain struct {
	State string // green, red or unknown
	Root  string // TGnnnn of what to mend first; "" when green
	Text  string // one short line: "ready", or the title of the finding
	When  string // time of the look, for people: "14:03:59"
}

// A Search is the page of what was found.
type Search struct {
	Query string
	Hits  []Conversation
}

// A Doctor is a report in full.
type Doctor struct {
	Healthy  bool
	Checked  string    // time of the look, for people
	Elapsed  string    // "812 ms"
	Findings []Finding // the root first
	Checks   []Check   // in the order of the chain
}

// A Finding is a message of the catalogue with the evidence for it.
type Finding struct {
	ID       string // TGnnnn; the card has the id "TGnnnn" so that links reach it
	Severity string // error or warning
	Label    string // the same for people
	Title    string
	Cause    string
	Evidence []Field
	Remedy   string
	Command  string // "" for none
	Where    string // heading of Command
	Similar  []Similar
}

// A Similar is a finding that looks alike and was told apart.
type Similar struct{ ID, Title string }

// A Field is one piece of evidence, in the words of the language.
type Field struct{ Name, Value string }

// A Check is one link of the chain.
type Check struct {
	Name    string // data-check
	Title   string
	Status  string // data-status: passed, warned, failed, not-run
	Label   string // the same for people
	Told    string // what was learnt, one line; for not-run: because of what
	Finding string // TGnnnn, link to the card; "" for none
	Elapsed string // "" when too short to mention
}

// A FaultPanel breaks the stand-in.
type FaultPanel struct {
	Faults []Fault
	On     bool // one of them is on: #mend makes sense
}

// A Fault is an option of #fault.
type Fault struct {
	Name  string
	Title string
	On    bool
}

// A SignIn is the form that lets a person in.
type SignIn struct {
	Link     string // token from the URL, for the hidden field link; then no password is asked
	Next     string // local path with the prefix, for the hidden field next
	Password bool   // a password exists, so it can be asked for
	Problem  string // "" on the first look: wrong password, used link, too many tries
}

// A Password is the form that sets it: fields password and again.
type Password struct {
	Exists  bool // there is one already
	Minimum int  // characters
	Saved   bool
	Fixed   bool   // it comes from a file and can't be set here
	Problem string // "" when nothing is wrong
}

// A Missing is a page for what isn't there, or was refused.
type Missing struct {
	Status int
	Title  string
	Text   string
}
