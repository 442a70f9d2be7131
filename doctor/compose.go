package doctor

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// An assignment is one NAME=value of a file.
type assignment struct {
	name, value string
	line        int
}

// parseDotenv reads the assignments of a .env file: quotes are taken off,
// comments and what is no assignment left out.
func parseDotenv(text string) []assignment {
	var found []assignment
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export "), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		found = append(found, assignment{strings.TrimSpace(name), unquote(strings.TrimSpace(value)), n})
	}
	return found
}

func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	value, _, _ = strings.Cut(value, " #")
	return strings.TrimSpace(value)
}

// A composeFile is one compose file of the application.
type composeFile struct{ path, text string }

// composeFiles returns the files that `docker compose` would read: those of
// COMPOSE_FILE, or the first of the usual names.
func (h *Host) composeFiles() []composeFile {
	if list := h.getenv("COMPOSE_FILE"); list != "" {
		var files []composeFile
		for _, path := range filepath.SplitList(list) {
			files = append(files, h.composeFile(path)...)
		}
		return files
	}
	for _, name := range []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"} {
		if f := h.composeFile(name); f != nil {
			return f
		}
	}
	return nil
}

func (h *Host) composeFile(path string) []composeFile {
	if !filepath.IsAbs(path) {
		path = filepath.Join(h.Dir, path)
	}
	if text := h.read(path); text != "" {
		return []composeFile{{path, text}}
	}
	return nil
}

// A regionSetting is one place that says which region the application gets.
type regionSetting struct {
	variable string
	value    string // "" when the variable is handed over without a value
	origin   string // variable, or file:line
}

var (
	// reference is $NAME, ${NAME} and the forms with a default, a
	// replacement or an error.
	//
	// Source: https://docs.docker.com/reference/compose-file/interpolation/
	reference = pattern(`(\$?)\$(?:(AWS_REGION|AWS_DEFAULT_REGION)\b|\{(AWS_REGION|AWS_DEFAULT_REGION)(?:(:?[-?+])([^}]*))?\})`)
	literal   = pattern(`^\s*(?:-\s*)?["']?(AWS_REGION|AWS_DEFAULT_REGION)["']?\s*[:=]\s*["']?([^\s"'$#]+)["']?\s*(?:#.*)?$`)
)

// composeRegions returns what the compose files make of the region.
func (h *Host) composeRegions() []regionSetting {
	var found []regionSetting
	for _, f := range h.composeFiles() {
		env := filepath.Join(filepath.Dir(f.path), ".env")
		lines := bufio.NewScanner(strings.NewReader(f.text))
		for n := 1; lines.Scan(); n++ {
			line := lines.Text()
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			origin := fmt.Sprintf("%s:%d", f.path, n)
			if m := literal().FindStringSubmatch(line); m != nil {
				found = append(found, regionSetting{m[1], m[2], origin})
			}
			for _, m := range reference().FindAllStringSubmatch(line, -1) {
				if s, ok := h.interpolate(m, origin, env); ok {
					found = append(found, s)
				}
			}
		}
	}
	return found
}

// interpolate does to one reference what compose does: the environment comes
// before the .env file, and both before the default. It reports false for an
// escaped dollar sign, and for the form that makes compose stop by itself.
func (h *Host) interpolate(m []string, origin, envFile string) (regionSetting, bool) {
	escaped, name, operator, argument := m[1] != "", m[2]+m[3], m[4], m[5]
	s := regionSetting{variable: name, origin: origin}
	set := h.isSet(name)
	if set {
		s.value, s.origin = h.getenv(name), h.originOf(name)
	} else {
		for _, a := range parseDotenv(h.read(envFile)) {
			if a.name == name {
				s.value, s.origin, set = a.value, fmt.Sprintf("%s:%d", envFile, a.line), true
			}
		}
	}
	missing := !set || s.value == "" && strings.HasPrefix(operator, ":")
	switch strings.TrimPrefix(operator, ":") {
	case "-":
		if missing {
			s.value, s.origin = argument, origin
		}
	case "?", "+":
		return s, false
	}
	if s.value == "" {
		s.origin = origin
	}
	return s, !escaped
}

// A published port is one that a service of a compose file opens on the host.
type published struct {
	service string
	port    int
	origin  string
}

// publishedPorts returns the ports of the compose files that are plain
// numbers; ranges and ports chosen at the start are left out.
func (h *Host) publishedPorts() []published {
	var found []published
	for _, f := range h.composeFiles() {
		var p portReader
		lines := bufio.NewScanner(strings.NewReader(f.text))
		for n := 1; lines.Scan(); n++ {
			for _, port := range p.read(lines.Text()) {
				found = append(found, published{p.service, port, fmt.Sprintf("%s:%d", f.path, n)})
			}
		}
	}
	return found
}

// A portReader goes through a compose file line by line and knows by the
// indentation where it is.
type portReader struct {
	inServices, inPorts bool
	service             string
	serviceIndent       int // of the names of services
	portsIndent         int
}

func (p *portReader) read(line string) []int {
	text := strings.TrimSpace(line)
	indent := len(line) - len(strings.TrimLeft(line, " "))
	name, value, isKey := strings.Cut(text, ":")
	switch {
	case text == "" || text[0] == '#':
	case indent == 0:
		*p = portReader{inServices: name == "services"}
	case p.inServices && isKey && value == "" && (p.serviceIndent == 0 || indent == p.serviceIndent):
		p.service, p.serviceIndent, p.inPorts = name, indent, false
	case p.inServices && isKey && name == "ports":
		p.inPorts, p.portsIndent = true, indent
		return numbers(strings.Split(strings.Trim(strings.TrimSpace(value), "[]"), ","))
	case p.inPorts && (indent > p.portsIndent || indent == p.portsIndent && text[0] == '-'):
		return numbers([]string{strings.TrimPrefix(text, "-")})
	default:
		p.inPorts = false
	}
	return nil
}

// numbers returns the ports of the host in entries of either form:
// [ADDRESS:]HOST:CONTAINER[/PROTOCOL], or "published: HOST".
func numbers(entries []string) []int {
	var ports []int
	for _, e := range entries {
		e = unquote(strings.TrimSpace(e))
		host := ""
		if long, ok := strings.CutPrefix(e, "published:"); ok {
			host = unquote(strings.TrimSpace(long))
		} else if parts := strings.Split(e, ":"); len(parts) > 1 {
			host = parts[len(parts)-2]
		}
		if port, err := strconv.Atoi(host); err == nil {
			ports = append(ports, port)
		}
	}
	return ports
}
