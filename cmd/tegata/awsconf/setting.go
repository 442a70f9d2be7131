package awsconf

import (
	"os"
	"strings"
)

// setting returns what a profile of the shared configuration file says under a
// key that the SDK does not know, "" if nothing. Whether the file can be read
// at all has shown when the SDK read it.
func (s Source) setting(profile, key string) string {
	text, err := os.ReadFile(s.sharedFile("AWS_CONFIG_FILE", "config"))
	if err != nil || profile == "" {
		return ""
	}
	value, within := "", false
	for line := range strings.Lines(string(text)) {
		if name, ok := sectionName(line); ok {
			within = name == profile
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if within && ok && !isIndented(line) && strings.EqualFold(strings.TrimSpace(k), key) {
			value = strings.TrimSpace(v)
		}
	}
	return value
}

// sectionName returns the name of the profile that a line opens, and whether
// it opens a section at all. Sections of other kinds have the name "".
func sectionName(line string) (string, bool) {
	header, ok := strings.CutPrefix(strings.TrimSpace(line), "[")
	header, _, closed := strings.Cut(header, "]")
	if !ok || !closed {
		return "", false
	}
	fields := strings.Fields(header)
	switch {
	case len(fields) == 1 && fields[0] == "default":
		return "default", true
	case len(fields) == 2 && fields[0] == "profile":
		return strings.Trim(fields[1], `"'`), true
	}
	return "", true
}

// isIndented reports whether a line belongs to the setting above it.
func isIndented(line string) bool {
	return strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
}
