// Package deps reads what programs depend on, and finds AWS SDKs that are too
// old to ask the instance metadata service for a token.
//
// Start with [Detect]. It reads manifests and lock files by the patterns of
// their lines, not by their grammars: a version in its usual place is all that
// it looks for. Where a manifest admits later versions, its lock file decides.
package deps

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// why there is no fix.
const why = "an upgrade is the package manager's business"

// A pattern finds packages with their versions in one kind of file. Its groups
// are called name and version; what stands before a version in it, such as
// "~>", belongs to the version.
type pattern struct {
	files string // pattern of file names, as path.Match has it
	of    ecosystem
	text  string
}

// An ecosystem is a registry of packages, and the way its constraints are
// written.
type ecosystem string

const (
	goModules ecosystem = "go"
	npm       ecosystem = "npm"
	pypi      ecosystem = "pypi"
	maven     ecosystem = "maven"
	rubygems  ecosystem = "rubygems"
	packagist ecosystem = "packagist"
)

var patterns = []pattern{
	{"go.mod", goModules, `(?m)^(?:require)?[ \t]+(?P<name>github\.com/aws/aws-sdk-go(?:-v2)?)[ \t]+(?P<version>v\S+)`},
	{"package.json", npm, `"(?P<name>aws-sdk)"\s*:\s*"(?P<version>[^"]*)"`},
	{"package-lock.json", npm, `"(?:node_modules/)?(?P<name>aws-sdk)"\s*:\s*\{\s*"version"\s*:\s*"(?P<version>[^"]*)"`},
	{"npm-shrinkwrap.json", npm, `"(?:node_modules/)?(?P<name>aws-sdk)"\s*:\s*\{\s*"version"\s*:\s*"(?P<version>[^"]*)"`},
	{"yarn.lock", npm, `(?m)^"?(?P<name>aws-sdk)@[^\n]*:\n\s+version:? "?(?P<version>[0-9][^"\s]*)`},
	{"pnpm-lock.yaml", npm, `(?m)^\s+'?/?(?P<name>aws-sdk)[@/](?P<version>[0-9][0-9.]*)`},
	{"*.txt", pypi, `(?mi)^[ \t]*(?P<name>boto3|botocore|boto|awscli)(?:\[[^\]]*\])?[ \t]*(?P<version>[=<>~!][^#;\n]*)`},
	{"setup.py", pypi, pythonString},
	{"setup.cfg", pypi, `(?mi)^[ \t]*(?P<name>boto3|botocore|boto|awscli)[ \t]*(?P<version>[=<>~!][^#;\n]*)`},
	{"pyproject.toml", pypi, pythonString + `|(?m)^(?P<name>boto3|botocore|boto|awscli)[ \t]*=[ \t]*"(?P<version>[^"]*)"`},
	{"Pipfile", pypi, `(?m)^(?P<name>boto3|botocore|boto|awscli)[ \t]*=[ \t]*"(?P<version>[^"]*)"`},
	{"Pipfile.lock", pypi, `"(?P<name>boto3|botocore|boto|awscli)"\s*:\s*\{[^{}]*?"version"\s*:\s*"(?P<version>[^"]*)"`},
	{"poetry.lock", pypi, `(?m)^name = "(?P<name>boto3|botocore|boto|awscli)"\nversion = "(?P<version>[^"]*)"`},
	{"uv.lock", pypi, `(?m)^name = "(?P<name>boto3|botocore|boto|awscli)"\nversion = "(?P<version>[^"]*)"`},
	{"pom.xml", maven, `<groupId>\s*(?P<name>com\.amazonaws|software\.amazon\.awssdk)\s*</groupId>\s*<artifactId>\s*(?:aws-java-sdk[^<]*|bom|[a-z0-9-]+)\s*</artifactId>\s*<version>\s*(?P<version>[^<\s]*)`},
	{"*.gradle", maven, `(?P<name>com\.amazonaws):aws-java-sdk[\w-]*:(?P<version>[\w.$\{\}-]+)|(?P<name>software\.amazon\.awssdk):[\w-]+:(?P<version>[\w.$\{\}-]+)`},
	{"*.gradle.kts", maven, `(?P<name>com\.amazonaws):aws-java-sdk[\w-]*:(?P<version>[\w.$\{\}-]+)|(?P<name>software\.amazon\.awssdk):[\w-]+:(?P<version>[\w.$\{\}-]+)`},
	{"Gemfile", rubygems, `(?m)^[ \t]*gem[ \t(]+['"](?P<name>aws-sdk(?:-core|-v1)?)['"][ \t]*,[ \t]*['"](?P<version>[^'"]*)['"]`},
	{"*.gemspec", rubygems, `(?m)dependency[ \t(]+['"](?P<name>aws-sdk(?:-core|-v1)?)['"][ \t]*,[ \t]*['"](?P<version>[^'"]*)['"]`},
	{"Gemfile.lock", rubygems, `(?m)^    (?P<name>aws-sdk(?:-core|-v1)?) \((?P<version>[0-9][^)]*)\)`},
	{"composer.json", packagist, `"(?P<name>aws/aws-sdk-php)"\s*:\s*"(?P<version>[^"]*)"`},
	{"composer.lock", packagist, `"name"\s*:\s*"(?P<name>aws/aws-sdk-php)"\s*,\s*"version"\s*:\s*"(?P<version>[^"]*)"`},
}

const pythonString = `["'](?P<name>boto3|botocore|boto|awscli)(?:\[[^\]"']*\])?[ \t]*(?P<version>[=<>~!][^"';]*)["';]`

// firsts are the first versions that ask for a token, by major version: an
// older major version never does.
//
// Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/use-a-supported-sdk-version-for-imdsv2.html,
// and for version 2 of the SDK for Ruby https://github.com/aws/aws-sdk-ruby/releases/tag/v2.11.401.
var firsts = map[string][]string{
	"github.com/aws/aws-sdk-go":    {"1.25.38"},
	"github.com/aws/aws-sdk-go-v2": {"0.19.0"},
	"aws-sdk@npm":                  {"2.722.0"},
	"boto3":                        {"1.12.6"},
	"botocore":                     {"1.13.25"},
	"awscli":                       {"1.16.289"},
	"boto":                         {"3.0.0"}, // ended with 2.49
	"com.amazonaws":                {"1.11.678"},
	"software.amazon.awssdk":       {"2.10.21"},
	"aws-sdk-core":                 {"2.11.401", "3.79.0"},
	"aws-sdk@rubygems":             {"2.11.401", "4.0.0"}, // 3.x is a shell around aws-sdk-core
	"aws-sdk-v1":                   {"2.0.0"},
	"aws/aws-sdk-php":              {"3.147.7"},
}

// compiled are the patterns, each with its expression, made when first needed.
var compiled = sync.OnceValue(func() []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		all[i] = regexp.MustCompile(p.text)
	}
	return all
})

// Detect finds AWS SDKs that know version 1 of the metadata service only
// (TG1301).
func Detect(t *scan.Text) (facts scan.Facts) {
	base := path.Base(t.Path)
	for i, p := range patterns {
		if ok, _ := path.Match(p.files, base); ok {
			facts.Findings = append(facts.Findings, p.find(compiled()[i], t.Body)...)
		}
	}
	if lang := program(base); lang != "" {
		b := t.Within()
		b.Verbatim(scan.Span{Start: 0, End: len(t.Body)})
		facts.Texts = append(facts.Texts, b.Text(lang, scan.Layer{Encode: asItIs}))
	}
	return facts
}

// program returns the language of manifests that are programs themselves.
func program(base string) scan.Lang {
	switch path.Ext(base) {
	case ".py":
		return scan.Python
	case ".gradle", ".kts":
		return scan.Java
	}
	if base == "Gemfile" || path.Ext(base) == ".gemspec" {
		return scan.Ruby
	}
	return ""
}

func asItIs(s string) (string, error) { return s, nil }

// Reads reports whether Detect reads a file of this name.
func Reads(name string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p.files, path.Base(name)); ok {
			return true
		}
	}
	return false
}

func (p pattern) find(re *regexp.Regexp, body string) (found []scan.Finding) {
	for _, m := range re.FindAllStringSubmatchIndex(body, -1) {
		name, version := group(re, m, "name"), group(re, m, "version")
		library := strings.ToLower(body[name.Start:name.End])
		text := resolve(body, body[version.Start:version.End])
		newest, bounded := p.of.newest(text)
		first, old := tooOld(library, p.of, newest)
		if !bounded || !old {
			continue
		}
		found = append(found, scan.Finding{
			ID: "TG1301", Confidence: scan.Sure, At: scan.Span{Start: name.Start, End: version.End}, Why: why,
			Evidence: []scan.Field{{Name: "library", Value: library}, {Name: "version", Value: strings.TrimSpace(text)}, {Name: "first", Value: first}},
		})
	}
	return found
}

// group returns where the group of that name matched; one of several with it.
func group(re *regexp.Regexp, m []int, name string) scan.Span {
	for i, n := range re.SubexpNames() {
		if n == name && m[2*i] >= 0 {
			return scan.Span{Start: m[2*i], End: m[2*i+1]}
		}
	}
	return scan.Span{}
}

// longestName is more than the name of a property ever has.
const longestName = 64

// resolve looks a property of Maven or a variable of Gradle up in the file.
func resolve(body, version string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(version, "$"), "{"), "}")
	if name == version || len(name) > longestName {
		return version
	}
	quoted := regexp.QuoteMeta(name)
	re, err := regexp.Compile(`<` + quoted + `>\s*([^<\s]+)\s*</` + quoted + `>|\b` + quoted + `\s*=\s*["']([^"']+)["']`)
	if err != nil {
		return version
	}
	if m := re.FindStringSubmatch(body); m != nil {
		return m[1] + m[2]
	}
	return version
}

func tooOld(library string, of ecosystem, version string) (first string, old bool) {
	all, ok := firsts[library]
	if !ok {
		all = firsts[library+"@"+string(of)]
	}
	for _, first := range all {
		if major(version) <= major(first) {
			return first, compare(version, first) < 0
		}
	}
	return "", false
}
