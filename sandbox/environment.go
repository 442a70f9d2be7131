package sandbox

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Places is where the command finds what the sandbox made for it.
type Places struct {
	IMDS string // base URL of the metadata service
	AWS  string // base URL of the other services
	CA   string // file with the certificate behind AWS's host names; empty where those are not imitated
	Home string // directory that [Scenario.WriteFiles] wrote to
	Path string // directory that is put first in PATH; empty means none
}

const (
	metadataEndpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
	servicesEndpoint = "AWS_ENDPOINT_URL"
)

const (
	configFile      = ".aws/config"
	credentialsFile = ".aws/credentials"
)

// trust are variables that name the certificates which a client trusts: of
// the AWS CLI and SDKs, of OpenSSL and Go, of Node.js, of Python's requests,
// and of curl.
var trust = []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}

// Environ returns the environment of the command: that of the outside without
// anything that leads an AWS client elsewhere, then what leads it to p, then
// the variables of the scenario. Nothing in it tells which fault is on.
func (s Scenario) Environ(outer []string, p Places) []string {
	env := inherit(outer)
	env["HOME"] = p.Home
	if p.Path != "" {
		env["PATH"] = prependPath(p.Path, env["PATH"])
	}
	env["AWS_REGION"] = s.Instance.Region
	env["AWS_DEFAULT_REGION"] = s.Instance.Region
	// AWS CLI v2 up to 2.9 puts no slash before the path that it appends.
	env[metadataEndpoint] = strings.TrimRight(p.IMDS, "/") + "/"
	env[servicesEndpoint] = strings.TrimRight(p.AWS, "/")
	env["AWS_CONFIG_FILE"] = filepath.Join(p.Home, filepath.FromSlash(configFile))
	env["AWS_SHARED_CREDENTIALS_FILE"] = filepath.Join(p.Home, filepath.FromSlash(credentialsFile))
	if p.CA != "" {
		for _, name := range trust {
			env[name] = p.CA
		}
	}
	for name, value := range s.Environment {
		if value == nil {
			delete(env, canonical(name))
			continue
		}
		env[canonical(name)] = strings.ReplaceAll(*value, "${HOME}", p.Home)
	}
	return variables(env)
}

// LeadsOut returns a variable of an environment by which AWS clients would
// leave this machine, "" for none: without a box nothing else keeps them here.
func LeadsOut(env []string) string {
	set := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		set[name] = value
	}
	for _, name := range []string{metadataEndpoint, servicesEndpoint} {
		if set[name] == "" {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		endpoint := name == metadataEndpoint || strings.HasPrefix(name, servicesEndpoint) || name == "AWS_CONTAINER_CREDENTIALS_FULL_URI"
		if endpoint && !local(set[name]) {
			return name
		}
	}
	return ""
}

// local reports whether a URL leads to a loopback address.
func local(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return err == nil && addr.IsLoopback()
}

// inherit takes over the variables of the outside. Of AWS and proxy variables
// it takes none, not even those that seem harmless: SDKs gain new ones every
// year.
func inherit(outer []string) map[string]string {
	env := map[string]string{}
	for _, kv := range outer {
		name, value, ok := strings.Cut(kv, "=")
		upper := strings.ToUpper(name)
		if !ok || name == "" || strings.HasPrefix(upper, "AWS_") || strings.HasSuffix(upper, "_PROXY") {
			continue
		}
		env[canonical(name)] = value
	}
	return env
}

// canonical is the name under which a variable is kept, so that Path and PATH
// are the same where the system takes them for the same.
func canonical(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

func prependPath(dir, path string) string {
	if path == "" {
		return dir
	}
	return dir + string(os.PathListSeparator) + path
}

func variables(env map[string]string) []string {
	var all []string
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all
}

// WriteFiles writes the files of the scenario below home, and with them empty
// AWS settings unless the scenario has its own, so that no client looks for
// some elsewhere. It never writes outside home, whatever links lie in there.
func (s Scenario) WriteFiles(home string) error {
	root, err := os.OpenRoot(home)
	if err != nil {
		return fmt.Errorf("write the files of the scenario: %w", err)
	}
	defer root.Close()
	files := map[string]string{configFile: "", credentialsFile: ""}
	maps.Copy(files, s.Files)
	for name, content := range files {
		if err := writeFile(root, filepath.FromSlash(name), content); err != nil {
			return fmt.Errorf("write the files of the scenario: %w", err)
		}
	}
	return nil
}

func writeFile(root *os.Root, name, content string) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, []byte(content), 0o644)
}
