package web

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const linkEnd = `" target="_blank" rel="noopener noreferrer nofollow">`

func TestGFM(t *testing.T) {
	t.Parallel()
	for _, test := range gfmCases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(Markdown(test.in), "|"); got != test.want {
				t.Errorf("%q\ngot  %s\nwant %s", test.in, got, test.want)
			}
		})
	}
}

// gfmCases are what the specification says (https://github.github.com/gfm/),
// and what it leaves open.
var gfmCases = []struct{ name, in, want string }{
	{"strike, one tilde", "~a~ b", "<p><del>a</del> b</p>"},
	{"strike over lines and marks", "~~a *b*\nc~~", "<p><del>a <em>b</em>\nc</del></p>"},
	{"strike of three", "~~~a~~~ b ~~~c~~~", "<pre><code></code></pre>"},
	{"strike of three in a text", "a ~~~b~~~", "<p>a ~~~b~~~</p>"},
	{"strike that doesn't match", "~~a~ b", "<p>~~a~ b</p>"},
	{"strike with spaces", "a ~ b ~ c", "<p>a ~ b ~ c</p>"},
	{"strike over paragraphs", "~~a\n\nb~~", "<p>~~a</p>|<p>b~~</p>"},

	{"task of a capital", "1. [X]\ta", `<ol><li class="task"><input type="checkbox" disabled="" checked=""> a</li></ol>`},
	{"task without words", "- [x]", `<ul><li class="task"><input type="checkbox" disabled="" checked=""> </li></ul>`},
	{"task in a loose list", "- [ ] a\n\n- b", `<ul><li class="task"><p><input type="checkbox" disabled=""> a</p></li><li><p>b</p></li></ul>`},
	{"task with its words below", "- [x]\n  a", `<ul><li class="task"><input type="checkbox" disabled="" checked=""> a</li></ul>`},
	{"task within a text", "- a [x] b", "<ul><li>a [x] b</li></ul>"},
	{"task outside a list", "[x] a", "<p>[x] a</p>"},
	{"task in the second paragraph", "- a\n\n  [x] b", "<ul><li><p>a</p><p>[x] b</p></li></ul>"},
	{"task of another letter", "- [y] a\n- [] b\n- [xx] c", "<ul><li>[y] a</li><li>[] b</li><li>[xx] c</li></ul>"},
	{"task that is a link", "- [x](https://x.test)", `<ul><li><a href="https://x.test` + linkEnd + `x</a></li></ul>`},

	{"link by www", "www.x.test/a?b=1&c", `<p><a href="http://www.x.test/a?b=1&amp;c` + linkEnd + `www.x.test/a?b=1&amp;c</a></p>`},
	{"link by www with a port", "www.x.test:80/$a", `<p><a href="http://www.x.test:80/$a` + linkEnd + `www.x.test:80/$a</a></p>`},
	{"link with a port", "http://x.test:80", `<p><a href="http://x.test:80` + linkEnd + `http://x.test:80</a></p>`},
	{"link before a colon", "http://x.test: a", `<p><a href="http://x.test` + linkEnd + `http://x.test</a>: a</p>`},
	{"link at the end of a sentence", "at http://x.test/a?!.,:_~", `<p>at <a href="http://x.test/a` + linkEnd + `http://x.test/a</a>?!.,:_~</p>`},
	{"link in brackets", "(http://x.test/a_(b))", `<p>(<a href="http://x.test/a_(b)` + linkEnd + `http://x.test/a_(b)</a>)</p>`},
	{"link with a semicolon", "http://x.test/;", `<p><a href="http://x.test/;` + linkEnd + `http://x.test/;</a></p>`},
	{"link before a reference", "http://x.test/?a&lt;&amp;", `<p><a href="http://x.test/?a` + linkEnd + `http://x.test/?a</a>&lt;&amp;</p>`},
	{"link before a lesser-than", "http://x.test/<b>", `<p><a href="http://x.test/` + linkEnd + `http://x.test/</a>&lt;b&gt;</p>`},
	{"link in marks", "**http://x.test/a** ~~http://x.test~~", `<p><strong><a href="http://x.test/a` + linkEnd + `http://x.test/a</a></strong> <del><a href="http://x.test` + linkEnd + `http://x.test</a></del></p>`},
	{"link in a link", "[http://x.test](http://y.test)", `<p><a href="http://y.test` + linkEnd + `http://x.test</a></p>`},
	{"link in the words of a link", "[http://x.test/a](http://y.test)", `<p><a href="http://y.test` + linkEnd + `http://x.test/a</a></p>`},
	{"link in code", "`http://x.test` http://x.test", `<p><code>http://x.test</code> <a href="http://x.test` + linkEnd + `http://x.test</a></p>`},
	{"link in Japanese", "次の https://x.test/a。また、（https://x.test）", `<p>次の <a href="https://x.test/a` + linkEnd + `https://x.test/a</a>。また、（https://x.test）</p>`},
	{"no links", "http://x http://.x http:// www. www.x ahttp://x.test HTTP://x.test http://x.TEST", "<p>http://x http://.x http:// www. www.x ahttp://x.test HTTP://x.test http://x.TEST</p>"},
	{"link to a file server", "ftp://x.test/_a_/b _a_/b", "<p>ftp://x.test/_a_/b <em>a</em>/b</p>"},
	{"link with a name", "http://a-%_+~#=:b@x.test", `<p><a href="http://a-%25_+~#=:b@x.test` + linkEnd + `http://a-%_+~#=:b@x.test</a></p>`},
	{"link before no reference", "http://x.test/&; http://x.test/&a-;", `<p><a href="http://x.test/&amp;;` + linkEnd + `http://x.test/&amp;;</a> <a href="http://x.test/&amp;a-;` + linkEnd + `http://x.test/&amp;a-;</a></p>`},
	{"link to a longest host", "http://" + strings.Repeat("a", 256) + ".b", `<p><a href="http://` + strings.Repeat("a", 256) + ".b" + linkEnd + "http://" + strings.Repeat("a", 256) + ".b</a></p>"},
	{"link to a longer host", "http://" + strings.Repeat("a", 257) + ".b", "<p>http://" + strings.Repeat("a", 257) + ".b</p>"},
	{"bare mail", "ask a.b+c@x.test.", `<p>ask <a href="mailto:a.b+c@x.test` + linkEnd + `a.b+c@x.test</a>.</p>`},
	{"mail of somebody called www", "www./@x.test", `<p><a href="mailto:www./@x.test` + linkEnd + `www./@x.test</a></p>`},
	{"no mails", "a@b a@x.test- a@x.test_ @x.test .a@x.test a@", "<p>a@b a@x.test- a@x.test_ @x.test .a@x.test a@</p>"},

	{"table, ragged", "|a|b|\n|-|-|\n|c|\n|d|e|f|\ng", tableOf("<tr><th>a</th><th>b</th></tr>",
		"<tr><td>c</td><td></td></tr><tr><td>d</td><td>e</td></tr><tr><td>g</td><td></td></tr>")},
	{"table without bars outside", "a | b\n:-: | --:\n1 | 2", tableOf(`<tr><th class="center">a</th><th class="right">b</th></tr>`,
		`<tr><td class="center">1</td><td class="right">2</td></tr>`)},
	{"table, escaped bars", "|a\\|b|\n|-|\n|c\\|\n|`\\\\|` **`\\|`** \\||", tableOf(`<tr><th>a|b</th></tr>`,
		`<tr><td>c|</td></tr><tr><td><code>\|</code> <strong><code>|</code></strong> |</td></tr>`)},
	{"table with empty cells", "|a||\n|-|-|\n||b|\n| | |\n|", tableOf(`<tr><th>a</th><th></th></tr>`,
		`<tr><td></td><td>b</td></tr><tr><td></td><td></td></tr><tr><td></td><td></td></tr>`)},
	{"table after a line", "a  \nb\n|c|\n|-|", "<p>a<br>\nb</p>|" + tableOf("<tr><th>c</th></tr>", "")},
	{"table before a quote", "|a|\n|-|\n|b|\n> c", tableOf("<tr><th>a</th></tr>", "<tr><td>b</td></tr>") + "|<blockquote><p>c</p></blockquote>"},
	{"table in a list", "- |a|\n  |-|\n  |b|", "<ul><li>" + tableOf("<tr><th>a</th></tr>", "<tr><td>b</td></tr>") + "</li></ul>"},
	{"table of one column without bars", "a\n:-", tableOf(`<tr><th class="left">a</th></tr>`, "")},
	{"table whose head doesn't match", "|a|b|\n|-|\n|c|", "<p>|a|b|\n|-|\n|c|</p>"},
	{"table whose head is short", "|a|\n|-|:-|\n|b|c|", tableOf("<tr><th>a</th><th></th></tr>", `<tr><td>b</td><td class="left">c</td></tr>`)},
	{"table without a head", "|-|\n|a|", "<p>|-|\n|a|</p>"},
	{"table with a bad row of dashes", "|a|\n|:|\n\n|a|\n|-:-|\n\n|a|\n|--x|\n\n|a|\n||", "<p>|a|\n|:|</p>|<p>|a|\n|-:-|</p>|<p>|a|\n|--x|</p>|<p>|a|\n||</p>"},
	{"table with dashes far in", "|a|\n    |-|\n\n|a|\n   |-|", "<p>|a|\n|-|</p>|" + tableOf("<tr><th>a</th></tr>", "")},
	{"table of dashes alone", "> a\n--\nb", "<blockquote><p>a\n--\nb</p></blockquote>"},
	{"bars in code outside a table", "`a\\|b`", `<p><code>a\|b</code></p>`},
	{"marks don't leave a cell", "|*a|b*|\n|-|-|", tableOf("<tr><th>*a</th><th>b*</th></tr>", "")},
}

func tableOf(head, body string) string {
	if body != "" {
		body = "<tbody>" + body + "</tbody>"
	}
	return `<div class="table"><table><thead>` + head + "</thead>" + body + "</table></div>"
}

// libraryParser is what markdownParser was while goldmark's own extensions did
// this work, except for what is meant to differ:
//
//   - Tildes pair with as many tildes: ~~a~ has no strikethrough.
//   - [x] is a box only before a space or the end of a line: [x](y) is a link.
//   - An address with www. may have a port and a dollar sign, as others may.
//   - The address of a mailbox never has http:// before it.
//
// See also [differs].
func libraryParser() parser.Parser {
	www := regexp.MustCompile(`^www\.[-a-zA-Z0-9@:%._+~#=]{1,256}\.[a-z]+(?::\d+)?(?:[/#?][-a-zA-Z0-9@:%_+.~#$!?&/=();,'">^{}\[\]` + "`" + `]*)?`)
	inline := append(parser.DefaultInlineParsers(),
		util.Prioritized(emphasis{}, 450),
		util.Prioritized(strictStrikethrough{extension.NewStrikethroughParser()}, 500),
		util.Prioritized(strictTask{extension.NewTaskCheckBoxParser()}, 0),
		util.Prioritized(strictLink{extension.NewLinkifyParser(extension.WithLinkifyWWWRegexp(www))}, 999),
	)
	paragraphs := append(parser.DefaultParagraphTransformers(),
		util.Prioritized(verbatim{}, 0),
		util.Prioritized(extension.NewTableParagraphTransformer(), 200),
	)
	return parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(inline...),
		parser.WithParagraphTransformers(paragraphs...),
		parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
	)
}

type strictStrikethrough struct{ parser.InlineParser }

func (s strictStrikethrough) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	n := s.InlineParser.Parse(parent, block, pc)
	if d, ok := n.(*parser.Delimiter); ok {
		d.Processor = strikethrough{}
	}
	return n
}

type strictTask struct{ parser.InlineParser }

func (s strictTask) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	if line, _ := block.PeekLine(); len(line) > 3 && !util.IsSpace(line[3]) {
		return nil
	}
	return s.InlineParser.Parse(parent, block, pc)
}

type strictLink struct{ parser.InlineParser }

func (s strictLink) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	n := s.InlineParser.Parse(parent, block, pc)
	if link, ok := n.(*ast.AutoLink); ok && link.AutoLinkType == ast.AutoLinkEmail {
		link.Protocol = nil
	}
	return n
}

// differs matches texts that are meant to become something else than with the
// library, by the specification: rows ending in an escaped bar, which belongs
// to the cell, or in two bars, which hold an empty cell; and dashes alone,
// which the library takes for those of a table, except at the end of a text.
var differs = regexp.MustCompile(`(?m)\\\|[ \t]*$|\|\|[ \t]*$|^[ \t>]*-+[ \t]*$`)

// filledUp matches the cells that rows were filled up with, which are fewer
// than the library's in a table that is nearly empty.
var filledUp = regexp.MustCompile(`(<td></td>)+</tr>`)

// likeLibrary fails the test if a text becomes something else than with the
// library.
func likeLibrary(t *testing.T, library parser.Parser, src string) {
	t.Helper()
	src = clean(src)
	if differs.MatchString(src) || tooMuch(src) {
		return
	}
	html := func(p parser.Parser) string {
		return filledUp.ReplaceAllString(strings.Join(blocks([]byte(src), p), "|"), "</tr>")
	}
	if got, want := html(markdownParser()), html(library); got != want {
		t.Errorf("%q\ngot  %s\nwant %s", src, got, want)
	}
}

func TestGFMIsLikeTheLibrary(t *testing.T) {
	t.Parallel()
	library := libraryParser()
	for _, src := range gfmCorpus() {
		likeLibrary(t, library, src)
	}
}

// marks are what means something to these parsers.
var marks = [][]string{
	{"~", "~~", "a", " ", "*", "\n"},
	{"- ", "[x]", "[ ]", "a", " ", "\n", "(b)"},
	{"|", "-", ":", "a", "\n", " ", "\\", "`", "|-|:-|", "\n> "},
	{"http://", "www.", "a", ".b", ":1", "/", "(", ")", "&c;", " ", "_", "@", "-", "語", "$", "?"},
}

// gfmCorpus returns the texts of the tests, every text of up to four marks of a
// kind, and longer ones of any, which are the same each time.
func gfmCorpus() []string {
	corpus := payloads()
	for _, test := range gfmCases {
		corpus = append(corpus, test.in)
	}
	for _, kind := range marks {
		corpus = append(corpus, upTo(4, kind)...)
	}
	all, random := slices.Concat(marks...), rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var text strings.Builder
		for range random.IntN(40) {
			text.WriteString(all[random.IntN(len(all))])
		}
		corpus = append(corpus, text.String())
	}
	return corpus
}

// upTo returns every text of up to n marks.
func upTo(n int, marks []string) []string {
	if n == 0 {
		return []string{""}
	}
	texts := upTo(n-1, marks)
	for _, text := range texts {
		for _, mark := range marks {
			texts = append(texts, text+mark)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

func FuzzGFM(f *testing.F) {
	for _, payload := range payloads() {
		f.Add(payload)
	}
	for _, test := range gfmCases {
		f.Add(test.in)
	}
	library := libraryParser()
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 10_000 {
			t.Skip()
		}
		likeLibrary(t, library, src)
	})
}

func TestGFMIsBounded(t *testing.T) {
	t.Parallel()
	long := func(s string) string { return strings.Repeat(s, longest/len(s)) }
	for name, src := range map[string]string{
		"columns over rows":   strings.Repeat("|a", longest/8) + "\n" + strings.Repeat("|-", longest/8) + strings.Repeat("\na", longest/4-1),
		"tables":              long(strings.Repeat("|a", 100) + "\n" + strings.Repeat("|-", 100) + strings.Repeat("\na", 100) + "\n\n"),
		"rows of dashes":      long("|-|\n"),
		"one row of dashes":   "|a|\n" + long("-|")[4:],
		"heads without match": long("|a|a\n|-|\n"),
		"escaped bars":        "|a|\n|-|\n" + long(`\|`)[10:],
		"code in cells":       long("|a|\n|-|\n" + strings.Repeat("|`\\|`|\n", 900) + "\n"),
		"closing brackets":    "http://x.test/" + long(")")[14:],
		"opened brackets":     "http://x.test/" + long("()")[14:],
		"references":          "http://x.test/" + long("&a;")[14:],
		"one reference":       "http://x.test/&" + long("a")[16:] + ";",
		"semicolons":          "http://x.test/&" + long(";")[16:],
		"hosts":               long(" http://a"),
		"one host":            "http://" + long("a.")[7:],
		"ports":               "http://a.b:" + long("1")[11:],
		"spaces before mails": long(" a"),
		"mails":               long(" a@b.c"),
		"tildes in turn":      long("~a ~~b "),
		"boxes":               long("- [x]\n"),
		"one box":             "- [x]" + long(" ")[8:] + "a",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			out := Markdown(src)
			size := len(strings.Join(out, ""))
			t.Logf("took %v, %d blocks, %d bytes", time.Since(start), len(out), size)
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			if size > 100*longest {
				t.Errorf("%d bytes became %d", len(src), size)
			}
		})
	}
}
