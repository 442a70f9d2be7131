// Package tegata_test keeps the rules of the tree: which package may import
// which, who reads the environment, what is documented, what gets linked.
// Each rule stands in a table with its reason; change the table, not a test.
package tegata_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	sdk     = "github.com/aws/aws-sdk-go-v2"
	smithy  = "github.com/aws/smithy-go"
	sdkIMDS = sdk + "/feature/ec2/imds"
	config  = sdk + "/config"
)

// An arrow says what a package may import, beyond the standard library.
type arrow struct {
	from string   // folder; "scan/*" is every folder below scan
	to   []string // our folders it may import; "*" is every one
	use  []string // modules of others it may import
	why  string
}

// The arrows, from the top of the tree to the ground: a package imports only
// packages that stand below it here.
var arrows = []arrow{
	{"test", []string{"*"}, nil,
		"what is seen only from outside: other processes, namespaces, clients in other languages"},
	{"test/*", []string{"*"}, nil,
		"as test"},
	{"bench", []string{"emulator"}, []string{sdk},
		"measures programs as a user runs them, a server that has no command of its own, and calls that the SDK signs"},
	{"cmd/tegata", []string{"cmd/tegata/cli"}, nil,
		"the exit status; all else can be called twice in one process"},
	{"cmd/tegata/cli", []string{"*"}, []string{sdk, "golang.org/x/term"},
		"the one place that wires the parts together, so that no part knows its neighbours"},
	{"cmd/tegata/awsconf", []string{"imds"}, []string{sdk, smithy},
		"the one place that loads SDK settings; a second one would find other credentials"},
	{"web", []string{"chat", "bedrock", "store", "login", "internal/message", "internal/report"}, []string{"github.com/yuin/goldmark"},
		"pages are drawn on the server from what chat and store hold; what a model said becomes HTML nowhere else"},
	{"web/*", nil, []string{"github.com/evanw/esbuild"},
		"bundles the scripts and styles before they are committed; not part of the program"},
	{"gateway", []string{"bedrock", "store", "login", "internal/message", "internal/report"}, nil,
		"is handed its readiness as a function: a gateway must not need a doctor to serve"},
	{"chat", []string{"bedrock", "store"}, nil,
		"owns the answers that run; knows no HTTP, so that a tab that closes is none of its business"},
	{"login", []string{"store", "internal/message", "internal/edit"}, []string{"golang.org/x/crypto", "golang.org/x/time"},
		"stands before every route, whoever serves it"},
	{"doctor", []string{"imds", "bedrock", "internal/report", "internal/message", "internal/policy", "internal/edit", "internal/dotenv"}, nil,
		"looks at the chain through the clients that the product uses, and at nothing that imitates it"},
	{"deploy", []string{"imds", "internal/edit", "internal/dotenv", "internal/policy"}, nil,
		"writes files for others to run; it calls no AWS service"},
	{"deliver", nil, []string{sdk, smithy},
		"handles long-lived keys: as little as possible stands beside them"},
	{"scan/shell", []string{"scan", "internal/edit"}, []string{"mvdan.cc/sh"},
		"a detector, with the one parser of shells that tells where each byte stood; it tries its rewrites on it"},
	{"scan/iam", []string{"scan", "internal/policy"}, nil,
		"a detector, which knows what an action may be allowed on"},
	{"scan/cloudinit", []string{"scan", "scan/yaml"}, nil,
		"cloud-config is YAML"},
	{"scan/cloudformation", []string{"scan", "scan/yaml"}, nil,
		"templates are YAML or JSON"},
	{"scan/ansible", []string{"scan", "scan/yaml"}, nil,
		"playbooks are YAML"},
	{"scan/cron", []string{"scan"}, nil,
		"crontabs"},
	{"scan/workload", []string{"scan", "scan/yaml"}, nil,
		"manifests and workflows are YAML"},
	{"scan/yaml", []string{"scan"}, nil,
		"reads the syntax that several detectors need; detects nothing itself"},
	{"scan/shell", []string{"scan"}, []string{"mvdan.cc/sh"},
		"a detector, with the one parser of shells that tells where each byte stood"},
	{"scan/iam", []string{"scan", "internal/policy"}, nil,
		"a detector, which knows what an action may be allowed on"},
	{"scan/terraform", []string{"scan"}, []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty"},
		"as scan/*, with HCL's own parser: nobody else knows where its expressions end"},
	{"scan/*", []string{"scan"}, nil,
		"a detector speaks the vocabulary of scan and knows no other detector"},
	{"scan", []string{"internal/report", "internal/message", "internal/edit", "internal/policy"}, nil,
		"reads files only, so that it runs where there is no instance and no network"},
	{"sandbox", []string{"emulator", "awsfake", "awsfake/*", "imds", "internal/policy", "internal/fault", "internal/message", "internal/nearest", "internal/edit"},
		[]string{"github.com/goccy/go-yaml", "golang.org/x/net/dns/dnsmessage", "golang.org/x/sys"},
		"joins the two imitations; neither knows the other"},
	{"awsfake", []string{"awsfake/*", "internal/policy", "internal/fault"}, nil,
		"is told of credentials through a function, so that it works with any source of them"},
	{"awsfake/sts", []string{"awsfake/iam", "awsfake/wire", "internal/policy"}, nil,
		"hands out sessions of the users and roles that IAM has"},
	{"awsfake/ec2", []string{"awsfake/iam", "awsfake/wire", "internal/policy"}, nil,
		"an instance profile is IAM's"},
	{"awsfake/ssm", []string{"awsfake/kms", "awsfake/wire", "internal/policy"}, nil,
		"a SecureString is encrypted by KMS"},
	{"awsfake/secretsmanager", []string{"awsfake/kms", "awsfake/wire", "internal/policy"}, nil,
		"a secret is encrypted by KMS"},
	{"awsfake/iam", []string{"awsfake/wire", "internal/policy"}, nil,
		"who there is, and what each may do"},
	{"awsfake/kms", []string{"awsfake/wire", "internal/policy"}, nil,
		"keys have policies of their own"},
	{"awsfake/bedrock", []string{"awsfake/wire"}, []string{sdk + "/aws"},
		"models know no other service"},
	{"awsfake/cloudwatch", []string{"awsfake/wire"}, nil,
		"is told of the figures of others"},
	{"awsfake/ecr", []string{"awsfake/wire", "internal/policy"}, nil,
		"repositories have policies of their own"},
	{"awsfake/logs", []string{"awsfake/wire"}, nil,
		"knows no other service"},
	{"awsfake/servicequotas", []string{"awsfake/wire"}, nil,
		"is asked by the services that it bounds"},
	{"awsfake/wire", []string{"internal/policy", "internal/fault"}, []string{smithy + "/encoding/cbor"},
		"how calls look, whatever they say"},
	{"emulator/imdstest", []string{"emulator"}, nil,
		"the emulator started for a test, as httptest does"},
	{"emulator/control", []string{"emulator"}, nil,
		"changes a running emulator; what it can do, the emulator's own methods can"},
	{"emulator/aemm", []string{"emulator", "internal/nearest"}, nil,
		"reads another emulator's settings; ours knows nothing of them"},
	{"emulator", []string{"imds", "internal/fault"}, nil,
		"shares the documents of imds, so that what is served and what is read can't drift apart"},
	{"bedrock", []string{"internal/message"}, []string{sdk, smithy},
		"explains errors by the ids of the catalogue"},
	{"imds/identity", nil, nil,
		"the standard library alone, as imds; apart from it, because certificates and DSA are for few programs"},
	{"imds", nil, nil,
		"the standard library alone: others can take it into their programs for nothing"},
	{"store", nil, []string{"modernc.org/sqlite"},
		"what is kept is plain data; who asks for it is unknown here"},
	{"internal/report", []string{"internal/message"}, nil,
		"a finding is an entry of the catalogue with its evidence"},
	{"internal/message", nil, nil, "ground"},
	{"internal/policy", nil, nil, "ground"},
	{"internal/fault", nil, nil, "ground"},
	{"internal/edit", nil, nil, "ground"},
	{"internal/dotenv", nil, nil, "ground"},
	{"internal/nearest", nil, nil, "ground"},
}

// What a test file may import beyond its package's arrow: the far sides of
// the wire that we imitate, and what tests are written with.
var testArrow = arrow{
	to: []string{"imds", "imds/identity", "emulator", "emulator/imdstest", "emulator/control", "emulator/aemm", "awsfake", "awsfake/*", "sandbox",
		"internal/message", "internal/report", "internal/policy", "internal/fault", "internal/edit", "internal/dotenv"},
	use: []string{sdk, smithy, "github.com/microcosm-cc/bluemonday", "github.com/openai/openai-go/v3",
		"github.com/prometheus/common", "github.com/goccy/go-yaml", "github.com/evanw/esbuild", "golang.org/x/net/html", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "golang.org/x/sys"},
}

func TestArrows(t *testing.T) {
	module := modulePath(t)
	for _, f := range tree(t) {
		a, ok := arrowOf(f.dir)
		if !ok && f.dir != "." {
			t.Errorf("%s: folder %s has no arrow: add it to the table, with its reason", f.path, f.dir)
			continue
		}
		for _, imported := range f.imports() {
			if !allowed(a, f, module, imported) {
				t.Errorf("%s imports %s, but its arrow says: %s", f.path, imported, a.why)
			}
		}
	}
}

func allowed(a arrow, f file, module, imported string) bool {
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case isOurs && f.test && ours == f.dir:
		return true // an external test of its own package
	case isOurs:
		return mayReach(a, ours) || f.test && mayReach(testArrow, ours)
	case strings.Contains(first, "."):
		return mayUse(a, imported) || f.test && mayUse(testArrow, imported)
	}
	return true // the standard library
}

func mayReach(a arrow, folder string) bool {
	return slices.ContainsFunc(a.to, func(to string) bool { return to == "*" || covers(to, folder) })
}

// covers reports whether a pattern of the table means a folder.
func covers(pattern, folder string) bool {
	parent, wild := strings.CutSuffix(pattern, "/*")
	return folder == pattern || wild && under(folder, parent) && folder != parent
}

func mayUse(a arrow, imported string) bool {
	return slices.ContainsFunc(a.use, func(m string) bool { return under(imported, m) })
}

// under reports whether p is the path root or lies below it.
func under(p, root string) bool { return p == root || strings.HasPrefix(p, root+"/") }

func arrowOf(folder string) (arrow, bool) {
	for _, a := range arrows {
		if covers(a.from, folder) {
			return a, true
		}
	}
	return arrow{}, false
}

func TestNoArrowRunsUp(t *testing.T) {
	for i, a := range arrows {
		if a.why == "" {
			t.Errorf("the arrow of %s has no reason", a.from)
		}
		for _, to := range a.to {
			below := func(b arrow) bool { return b.from == to || covers(to, b.from) }
			if to != "*" && !slices.ContainsFunc(arrows[i+1:], below) {
				t.Errorf("the arrow from %s to %s does not run down the table", a.from, to)
			}
		}
	}
}

// The SDK's own metadata client would ask the real address from wherever it
// was made, so only awsconf comes near it, and only for values of settings.
var sdkIMDSValues = []string{"ClientDisabled", "EndpointModeStateIPv4", "EndpointModeStateIPv6"}

func TestSDKSettings(t *testing.T) {
	for _, f := range tree(t) {
		if f.test {
			continue
		}
		imports := f.imports()
		if slices.Contains(imports, config) && f.dir != "cmd/tegata/awsconf" {
			t.Errorf("%s imports %s: settings are loaded by cmd/tegata/awsconf alone", f.path, config)
		}
		if !slices.Contains(imports, sdkIMDS) {
			continue
		}
		if f.dir != "cmd/tegata/awsconf" {
			t.Errorf("%s imports the metadata client of the SDK; use our imds", f.path)
		}
		for _, name := range f.uses(sdkIMDS) {
			if !slices.Contains(sdkIMDSValues, name) {
				t.Errorf("%s uses %s of the SDK's metadata client; only %v are for us", f.path, name, sdkIMDSValues)
			}
		}
	}
}

// Calls that belong to few places.
var reserved = []struct {
	pkg   string
	names []string
	to    []string // files, or folders with all their files
	tests bool     // holds for test files too
	why   string
}{
	{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, []string{"cmd/tegata/cli", "bench"}, false,
		"the environment comes in as a value, so that a part can be run twice with two of them"},
	{"syscall", []string{"Getenv", "Environ"}, nil, false, "as os"},
	{"os", []string{"Exit"}, []string{"cmd/tegata/main.go", "bench/main.go", "web/build/main.go"}, false,
		"an exit skips every deferred clean-up of the callers"},
	{"log", []string{"Fatal", "Fatalf", "Fatalln"}, nil, true,
		"an exit in disguise"},
}

func TestReservedCalls(t *testing.T) {
	for _, f := range tree(t) {
		for _, r := range reserved {
			free := slices.ContainsFunc(r.to, func(place string) bool { return f.path == place || f.dir == place })
			if free || f.test && !r.tests {
				continue
			}
			for _, name := range f.uses(r.pkg) {
				if slices.Contains(r.names, name) {
					t.Errorf("%s calls %s.%s: %s", f.path, r.pkg, name, r.why)
				}
			}
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, f := range tree(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has a func init: what runs unasked can't be tested, and costs every start", f.path)
			}
		}
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	onlyTests := map[string]bool{}
	for _, f := range tree(t) {
		only, seen := onlyTests[f.dir]
		onlyTests[f.dir] = f.test && (only || !seen)
	}
	documented := map[string]bool{}
	for _, f := range tree(t) {
		if !f.test || onlyTests[f.dir] {
			documented[f.dir] = documented[f.dir] || f.ast.Doc != nil
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", folder)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range tree(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		block := 0 // the next line of a block of methods with one comment over it
		for _, d := range f.ast.Decls {
			inBlock := f.line(d.Pos()) == block
			if !inBlock {
				for _, name := range undocumented(d) {
					t.Errorf("%s: %s has no comment", f.path, name)
				}
			}
			if fn, ok := d.(*ast.FuncDecl); ok && (fn.Doc != nil || inBlock) {
				block = f.line(d.End()) + 1
			}
		}
	}
}

// Methods that mean the same on every type.
var wellKnown = []string{"Error", "Unwrap", "Is", "String", "GoString", "Format", "LogValue", "ServeHTTP",
	"MarshalText", "UnmarshalText", "MarshalJSON", "UnmarshalJSON", "MarshalYAML", "UnmarshalYAML"}

func undocumented(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		known := d.Recv != nil && slices.Contains(wellKnown, d.Name.Name)
		if d.Doc == nil && d.Name.IsExported() && receiverIsExported(d) && !known {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil && s.Names[0].IsExported() && !oneOfAType(d, s) {
					names = append(names, s.Names[0].Name)
				}
			}
		}
	}
	return names
}

// oneOfAType reports whether s is a constant of a named type, which the
// comment of that type explains.
func oneOfAType(d *ast.GenDecl, s *ast.ValueSpec) bool {
	return d.Tok == token.CONST && (s.Type != nil || len(s.Values) == 0)
}

func receiverIsExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	exported := false
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		exported = exported || ok && id.IsExported()
		return !ok
	})
	return exported
}

func TestMainIsShort(t *testing.T) {
	src, err := os.ReadFile("cmd/tegata/main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(src, []byte("\n")); n >= 40 {
		t.Errorf("cmd/tegata/main.go has %d lines; it calls cli.Main and exits", n)
	}
}

// Modules that may be linked into tegata. Each costs time at every start of
// the program, needed or not, and is one more thing to read and to trust.
var linkable = []struct{ module, why string }{
	{sdk, "signer, credential types"},
	{sdk + "/aws/protocol/eventstream", "the frames of a streamed answer"},
	{config, "profiles, SSO, web identity: the chain that every AWS program follows"},
	{sdk + "/credentials", "the providers of that chain"},
	{sdk + "/feature/ec2/imds", "linked by config; we switch it off"},
	{sdk + "/internal/configsources", "of the SDK"},
	{sdk + "/internal/endpoints/v2", "of the SDK"},
	{sdk + "/internal/v4a", "of the SDK"},
	{sdk + "/service/internal/accept-encoding", "of the SDK"},
	{sdk + "/service/internal/presigned-url", "of the SDK"},
	{sdk + "/service/bedrockruntime", "Converse and ConverseStream"},
	{sdk + "/service/sts", "who we are"},
	{sdk + "/service/signin", "linked by config"},
	{sdk + "/service/sso", "linked by config"},
	{sdk + "/service/ssooidc", "linked by config"},
	{smithy, "the transport of the SDK"},
	{"github.com/goccy/go-yaml", "scenario files, tegata.yaml"},
	{"github.com/hashicorp/hcl/v2", "Terraform's files, with the place of each byte"},
	{"github.com/zclconf/go-cty", "of HCL"},
	{"github.com/agext/levenshtein", "of HCL"},
	{"github.com/apparentlymart/go-textseg/v15", "of HCL"},
	{"github.com/mitchellh/go-wordwrap", "of HCL"},
	{"golang.org/x/text", "of HCL"},
	{"mvdan.cc/sh/v3", "scripts, with the place of each byte"},
	{"golang.org/x/sys", "namespaces, signals"},
	{"golang.org/x/net", "the messages of DNS, for the box"},
	{"golang.org/x/term", "is somebody looking"},
	{"golang.org/x/crypto", "argon2id, for the password"},
	{"golang.org/x/time", "how often a password may be tried"},
	{"github.com/yuin/goldmark", "Markdown, which is what models write"},
	{"modernc.org/sqlite", "conversations, without C"},
	{"modernc.org/libc", "of SQLite"},
	{"modernc.org/mathutil", "of SQLite"},
	{"modernc.org/memory", "of SQLite"},
	{"github.com/dustin/go-humanize", "of SQLite"},
	{"github.com/google/uuid", "of SQLite"},
	{"github.com/mattn/go-isatty", "of SQLite"},
	{"github.com/ncruces/go-strftime", "of SQLite"},
	{"github.com/remyoudompheng/bigfft", "of SQLite"},
}

func TestLinkedModules(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, module := range linked(t, goos) {
			known := slices.ContainsFunc(linkable, func(l struct{ module, why string }) bool { return l.module == module })
			if !known && module != modulePath(t) {
				t.Errorf("%s: tegata links %s, which is not on the list of this test", goos, module)
			}
		}
	}
}

// linked returns the modules of all packages that tegata consists of.
func linked(t *testing.T, goos string) []string {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./cmd/tegata")
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the packages of tegata for %s: %v\n%s", goos, err, stderr.String())
	}
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	return slices.Compact(modules)
}

// Words of the place where a line was written, which mean nothing to its
// reader. Written so that this file does not find itself.
var foreign = regexp.MustCompile(`(?i)[/]work/|wor[k]place|[/]tmp/(brief|contracts)|hous[e]-style|\bdesign[.]md|` +
	`\bseed[s]?[/ ]0|\bfact[s]/[a-z]+[.]md|\b(next|later|earlier|previous) issu[e]\b|\bissue [#]?\d|\bsub-?agen[t]|\bai[ -]generate[d]|` +
	`\b[T]ODO\b|\b[F]IXME\b`)

func TestTextIsForItsReader(t *testing.T) {
	walk(t, func(name string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return // a program that was built here
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word := foreign.FindString(line); word != "" {
				t.Errorf("%s:%d mentions %q", name, i+1, word)
			}
		}
	})
}

// A file is one Go file of the tree, on whatever system it is built.
type file struct {
	path, dir string // from the root, with slashes
	test      bool
	ast       *ast.File
	positions *token.FileSet
}

func (f file) line(p token.Pos) int { return f.positions.Position(p).Line }

var parsed = sync.OnceValues(func() (files []file, err error) {
	return files, walkTree(func(name string) error {
		if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
			return nil
		}
		positions := token.NewFileSet()
		syntax, err := parser.ParseFile(positions, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, file{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), syntax, positions})
		return nil
	})
})

func tree(t *testing.T) []file {
	t.Helper()
	files, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 {
		t.Fatal("no Go files found: these tests would pass on nothing")
	}
	return files
}

func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	if err := walkTree(func(name string) error { visit(name); return nil }); err != nil {
		t.Fatal(err)
	}
}

// foreignDirs hold what was built or fetched here and is not kept.
var foreignDirs = []string{"dist", "test/debian", "test/venv"}

// walkTree visits what belongs to the project: no repository data, nothing
// that was installed or built.
func walkTree(visit func(name string) error) error {
	return filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || slices.Contains(foreignDirs, filepath.ToSlash(name))):
			return filepath.SkipDir
		case !d.Type().IsRegular() || d.Name() == ".git": // a file in a work tree beside the first
			return nil
		}
		return visit(filepath.ToSlash(name))
	})
}

func (f file) imports() (paths []string) {
	for _, spec := range f.ast.Imports {
		paths = append(paths, importPath(spec))
	}
	return paths
}

// uses returns the names that f takes from the package, once for each use.
func (f file) uses(pkg string) (names []string) {
	local := f.localName(pkg)
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// An identifier that the parser resolved is a variable of the same name.
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == local && id.Obj == nil {
			names = append(names, sel.Sel.Name)
		}
		return true
	})
	return names
}

// localName returns the name under which f knows the package; empty if it
// does not import it.
func (f file) localName(pkg string) string {
	for _, spec := range f.ast.Imports {
		switch {
		case importPath(spec) != pkg:
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return path.Base(pkg)
		}
	}
	return ""
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser took it for a string
	}
	return p
}

func modulePath(t *testing.T) string {
	t.Helper()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(mod), "\n")
	return strings.TrimPrefix(first, "module ")
}
