package code

import (
	"fmt"
	"testing"

	"tegata/scan"
)

func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path string
		lang scan.Lang
		src  string
		want []string
	}{
		{"a.py", scan.Python, `x = "a\n" 'b' rb'\d' # "c"`, []string{"a\n", "b", `\d`}},
		{"a.py", scan.Python, "'''a\n\"b\"'''\nf\"x{y['z']}{{\"", []string{"a\n\"b\"", "x{}{"}},
		{"a.go", scan.Go, "`a\\n` + \"\\x41\" // 'x'", []string{`a\n`, "A"}},
		{"a.js", scan.JavaScript, "`a${b+`c`}d` /* 'x' */ + /['\"]/ + 'e'", []string{"a{}d", "e"}},
		{"a.js", scan.JavaScript, "it's\n'a'", []string{"a"}},
		{"A.java", scan.Java, `"""` + "\n a\n" + `""" + "b"`, []string{"\n a\n", "b"}},
		{"a.kt", scan.Java, `"a$b/${c.d}"`, []string{"a{}/{}"}},
		{"a.cs", scan.CSharp, `@"a""b\" + $"c{d}{{" + $@"e"`, []string{`a"b\`, "c{}{", "e"}},
		{"a.rb", scan.Ruby, "x = <<~E + 'y'\n  a #{b}\n   c\nE\n%x(d) \"#{e}\"", []string{"a {}\n c\n", "y", "d", "{}"}},
		{"a.php", scan.PHP, "it's <?php $a = 'b\\n' . \"c$d{$e->f}\"; # x\n$g = <<<X\n  h\n  X;\n ?> 'i'", []string{`b\n`, "c{}{}", "h\n"}},
		{"a.pl", scan.Plain, "my $x = \"a$b\"; # 'c'\n$#y; `d`", []string{"a{}", "d"}},
		{"a.lua", scan.Plain, "x = [[a]] .. 'b' -- 'c'", []string{"a", "b"}},
		{"a.rs", scan.Plain, "fn f<'a>() { r#\"a\"b\"#; \"c\" }", []string{`a"b`, "c"}},
		{"a.c", scan.Plain, "\"a\" /* \"b\" */ 'c'", []string{"a", "c"}},
	} {
		file := scan.File(tt.path, tt.lang, []byte(tt.src))
		var got []string
		for _, token := range lex(dialectOf(file), tt.src) {
			if token.kind == text {
				got = append(got, token.decoded())
			}
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
			t.Errorf("%s: %q: %q, want %q", tt.path, tt.src, got, tt.want)
		}
	}
}

// Every byte of a source is in one token at the most, and in order.
func checkTokens(t *testing.T, src string, tokens []token) {
	t.Helper()
	at := 0
	for i, token := range tokens {
		if token.at.Start < at || token.at.End < token.at.Start || token.at.End > len(src) {
			t.Fatalf("%q: token %d at %v after %d", src, i, token.at, at)
		}
		at = token.at.End
		if j := i + token.jump; j < 0 || j >= len(tokens) || token.jump != -tokens[j].jump {
			t.Fatalf("%q: bracket %d jumps by %d", src, i, token.jump)
		}
	}
}

func FuzzLexer(f *testing.F) {
	for _, src := range []string{"f'{a[\"b\"]}' ({[}])", "<<~A\n #{<<B}\nA\n", "<?php $a = <<<X\n$b{$c}\nX;", "`${`${a}`}`", `$@"{a}""`, "/*", "%x(", "\n=begin\n=end"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, lang := range []scan.Lang{scan.Python, scan.Go, scan.JavaScript, scan.Java, scan.CSharp, scan.Ruby, scan.PHP} {
			checkTokens(t, src, lex(dialectOf(scan.File("a", lang, nil)), src))
		}
		for _, ext := range []string{"pl", "lua", "rs", "c", "kt", "groovy"} {
			checkTokens(t, src, lex(dialectOf(scan.File("a."+ext, scan.Plain, nil)), src))
		}
	})
}
