package web

import (
	_ "embed"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/microcosm-cc/bluemonday"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"nothing", " \n\n", ""},
		{"paragraphs", "a\nb\n\nc", "<p>a\nb</p>|<p>c</p>"},
		{"hard break", "a  \nb", "<p>a<br>\nb</p>"},
		{"Japanese lines join", "これは\n日本語です\nok", "<p>これは日本語です\nok</p>"},
		{"heading", "# T\n## U\n###### V", "<h3>T</h3>|<h4>U</h4>|<h6>V</h6>"},
		{"emphasis", "*a* **b** ***c*** _d_ ~~e~~", "<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em> <em>d</em> <del>e</del></p>"},
		{"emphasis in Japanese", "これは**「重要」**です。**日本語。**続き", "<p>これは<strong>「重要」</strong>です。<strong>日本語。</strong>続き</p>"},
		{"stars that are none", "2 * 3 * 4 と 5*6", "<p>2 * 3 * 4 と 5*6</p>"},
		{"rule", "a\n\n---\n\nb", "<p>a</p>|<hr>|<p>b</p>"},
		{"code", "```go\nif a < b {}\n```", `<pre><code class="language-go">if a &lt; b {}` + "\n</code></pre>"},
		{"code that is still being written", "```python\nprint(", `<pre><code class="language-python">print(` + "\n</code></pre>"},
		{"code of a strange language", "```\"><script>\nx\n```", "<pre><code>x\n</code></pre>"},
		{"indented code", "    x & y", "<pre><code>x &amp; y\n</code></pre>"},
		{"code span", "a `b  <c> \\& &amp;` d", "<p>a <code>b  &lt;c&gt; \\&amp; &amp;amp;</code> d</p>"},
		{"lists", "- a\n- b\n  1. c", "<ul><li>a</li><li>b<ol><li>c</li></ol></li></ul>"},
		{"loose list", "- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"},
		{"list from seven", "7. a\n8. b", `<ol start="7"><li>a</li><li>b</li></ol>`},
		{"tasks", "- [x] a\n- [ ] b", `<ul><li class="task"><input type="checkbox" disabled="" checked=""> a</li><li class="task"><input type="checkbox" disabled=""> b</li></ul>`},
		{"quote", "> a\n>> b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"},
		{"table", "|a|b|\n|:-|-:|\n|`x\\|y`|1<br>2|", `<div class="table"><table><thead><tr><th class="left">a</th><th class="right">b</th></tr></thead>` +
			`<tbody><tr><td class="left"><code>x|y</code></td><td class="right">1<br>2</td></tr></tbody></table></div>`},
		{"table without rows", "|a|\n|-|", `<div class="table"><table><thead><tr><th>a</th></tr></thead></table></div>`},
		{"escapes and references", `\*a\* &lt;b&gt; &amp;lt; \&amp; &#0; &nbsp;x`, "<p>*a* &lt;b&gt; &amp;lt; &amp;amp; \ufffd \u00a0x</p>"},
		{"link", "[a *b*](https://x.test/?a=1&b=2 \"t\")", `<p><a href="https://x.test/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">a <em>b</em></a></p>`},
		{"reference", "[a]\n\n[a]: http://x.test/日本", `<p><a href="http://x.test/%E6%97%A5%E6%9C%AC" target="_blank" rel="noopener noreferrer nofollow">a</a></p>`},
		{"mail", "<me@x.test>", `<p><a href="mailto:me@x.test" target="_blank" rel="noopener noreferrer nofollow">me@x.test</a></p>`},
		{"bare link", "see https://x.test/a, ok", `<p>see <a href="https://x.test/a" target="_blank" rel="noopener noreferrer nofollow">https://x.test/a</a>, ok</p>`},
		{"link into this site", "[a](/sign-out) [b](//x.test) [c](#m)", "<p>a b c</p>"},
		{"script link", "[a](javascript:alert(1)) [b](JaVaScRiPt&colon;alert(1)) [c](data:text/html,x) [d](http:\\\\x)", "<p>a b c d</p>"},
		{"picture", "![two *cats*](https://x.test/c.png)", `<p><a href="https://x.test/c.png" class="image" target="_blank" rel="noopener noreferrer nofollow">two cats</a></p>`},
		{"picture without words", "![](https://x.test/c.png)", `<p><a href="https://x.test/c.png" class="image" target="_blank" rel="noopener noreferrer nofollow">https://x.test/c.png</a></p>`},
		{"picture in a link", "[![cat](https://x.test/c.png)](https://x.test/)", `<p><a href="https://x.test/" target="_blank" rel="noopener noreferrer nofollow">cat</a></p>`},
		{"HTML in a line", `a <b onclick="x">b</b> c`, `<p>a &lt;b onclick=&#34;x&#34;&gt;b&lt;/b&gt; c</p>`},
		{"HTML block", "<details>\nx\n</details>", `<pre><code class="language-html">&lt;details&gt;` + "\nx\n&lt;/details&gt;</code></pre>"},
		{"HTML block with its own end", "<!-- a\n\nb -->\n\nc", `<pre><code class="language-html">&lt;!-- a` + "\n\nb --&gt;\n</code></pre>|<p>c</p>"},
		{"tags end deep within", strings.Repeat("> ", 37) + "**x *y `c` <b> https://x.test\n> ![p](https://x.test/p)* z**", strings.Repeat("<blockquote>", 37) +
			"<p><strong>x <em>y c &lt;b&gt; https://x.test p</em> z</strong></p>" + strings.Repeat("</blockquote>", 37)},
		{"deeper than can be meant", strings.Repeat("> ", 2*deepest) + "a", `<p class="plain">` + strings.Repeat("&gt; ", 2*deepest) + "a</p>"},
		{"control characters", "a\x00b\x1bc\r\nd\xffe", "<p>a\ufffdb\ufffdc\nd\ufffde</p>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(Markdown(test.in), "|"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

//go:embed testdata/xss.txt
var xssCorpus string

// payloads returns the blocks of testdata/xss.txt.
func payloads() []string { return strings.Split(strings.TrimSpace(xssCorpus), "\n---\n") }

func TestMarkdownOfAttacks(t *testing.T) {
	t.Parallel()
	if n := len(payloads()); n < 40 {
		t.Fatalf("only %d payloads", n)
	}
	judge := newJudge()
	for _, payload := range payloads() {
		for _, context := range []string{"%", "> - %", "|a|\n|-|\n|%|", "[%](https://x.test)", "[a](%)", "![a](%)", "```%\nx", "`%`", "**%**", "# %"} {
			judge.wants(t, strings.ReplaceAll(context, "%", payload))
		}
	}
}

// A judge is an independent opinion of what is safe.
type judge struct{ policy *bluemonday.Policy }

func newJudge() judge {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "h3", "h4", "h5", "h6", "em", "strong", "del", "hr", "blockquote", "ul", "ol", "li", "pre", "code",
		"div", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[A-Za-z0-9+#_.-]{1,32}$`)).OnElements("code")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^plain$`)).OnElements("p")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^task$`)).OnElements("li")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^table$`)).OnElements("div")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("th", "td")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^image$`)).OnElements("a")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("type").Matching(regexp.MustCompile(`^checkbox$`)).OnElements("input")
	p.AllowAttrs("disabled", "checked").Matching(regexp.MustCompile(`^$`)).OnElements("input")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_blank$`)).OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^noopener noreferrer nofollow$`)).OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	return judge{p}
}

// wants fails the test if the judge would change anything in what a text
// becomes, or if its blocks aren't whole.
func (j judge) wants(t *testing.T, src string) {
	t.Helper()
	for _, block := range Markdown(src) {
		if got := j.policy.Sanitize(block); got != block {
			t.Errorf("Markdown(%q) has\n%s\nof which only this is safe:\n%s", src, block, got)
		}
		if open, closed := strings.Count(block, "<a "), strings.Count(block, "</a>"); open != closed {
			t.Errorf("Markdown(%q): %d links begin and %d end: %s", src, open, closed, block)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, payload := range payloads() {
		f.Add(payload)
	}
	f.Add("|a|b|\n|:-|-:|\n|`x\\|y`|1<br>2|\n\n- [x] **「重要」**です\n\n```go\nx\n```\n[![c](https://x.test)](https://y.test)")
	judge := newJudge()
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 10_000 {
			t.Skip()
		}
		judge.wants(t, src)
	})
}

// No text may hold up the others: what is slow to parse is found by its shape
// or cut off by its length. The figures leave room for a loaded machine and
// the race detector; the rendering takes milliseconds.
func TestMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	long := func(s string) string { return strings.Repeat(s, longest/len(s)) }
	for name, src := range map[string]string{
		"a megabyte":      strings.Repeat("word ", 200_000),
		"quotes":          long(">"),
		"quotes, spaced":  long("> "),
		"lists":           long("- "),
		"ordered lists":   long("1. "),
		"nested lists":    nestedLists(),
		"brackets":        long("["),
		"pairs":           long("[]"),
		"links":           long("[a]("),
		"pictures":        long("![a]("),
		"stars":           long("*a "),
		"pairs of stars":  long("**a *a "),
		"closing stars":   long("a* "),
		"alternating":     long("*a_ "),
		"tildes":          long("~~a "),
		"backticks":       long("`a``b```"),
		"references":      long("[a]: x\n"),
		"table":           long("|a") + "\n" + long("|-"),
		"tags":            long("<a "),
		"comments":        long("<!-- "),
		"declarations":    long("<!A "),
		"entities":        long("&#1"),
		"mails":           long("a@b."),
		"links unclosed":  long("http://a.b/("),
		"fences":          long("```\n"),
		"underscores":     long("_a __a "),
		"heading":         "# " + long("*a_ "),
		"setext":          long("*a_ ") + "\n===\n",
		"quoted heading":  "> - ## " + long("*a_ "),
		"many paragraphs": long(strings.Repeat("*a_ ", busiest/2) + "\n\n"),
		"many cells":      "|a|\n|-|\n" + long("|"+strings.Repeat("*a_", busiest/2)+"|\n"),
		"emphasis in one": strings.Repeat("*a ", 40_000) + strings.Repeat("b* ", 40_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			blocks := Markdown(src)
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			} else {
				t.Logf("took %v, %d blocks", d, len(blocks))
			}
		})
	}
}

func nestedLists() string {
	var b strings.Builder
	for i := 0; b.Len() < longest-1000; i++ {
		b.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	return b.String()
}
