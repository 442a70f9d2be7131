package scan

import (
	"bytes"
	"path"
	"strings"
)

// address returns where something stands that every caller of the metadata
// service has in it somewhere, or -1: its address, or its name. Each is looked
// for by the part that begins with the rarest byte.
func address(data []byte) int {
	first := -1
	for _, n := range []struct{ before, rest string }{{"16", "9.254.169.254"}, {"instance", "-data"}, {"ec2", "::254"}} {
		if i := indexAfter(data, n.before, n.rest); i >= 0 {
			first, data = i, data[:i]
		}
	}
	return first
}

// indexAfter returns where before, in capitals or not, and rest stand one after
// the other.
func indexAfter(data []byte, before, rest string) int {
	for from := 0; ; {
		i := bytes.Index(data[from:], []byte(rest))
		if i < 0 {
			return -1
		}
		from += i
		if start := from - len(before); start >= 0 && bytes.EqualFold(data[start:from], []byte(before)) {
			return start
		}
		from += len(rest)
	}
}

// binaryWithin is where a NUL makes a file binary, as for grep.
const binaryWithin = 8 << 10

func isBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), binaryWithin)], 0) >= 0
}

// worthReading reports whether a file may hold something to find. Nearly no
// file of a tree does, and it takes no parser to tell.
func worthReading(data []byte, class nameClass) bool {
	words := class.words()
	return address(data) >= 0 || words != nil && words.in(data)
}

// A nameClass is what the name alone tells about the words that make a file
// worth reading.
type nameClass int

const (
	unread   nameClass = iota // pictures, archives, documentation
	program                   // may ask for metadata
	script                    // may also run the AWS CLI
	template                  // may also launch instances, or carry packed scripts
	manifest                  // lists what a program depends on
)

// classOf looks at the name of a file; nothing of it has been read yet.
func classOf(name string) nameClass {
	base := strings.ToLower(path.Base(name))
	switch {
	case isManifest(base):
		return manifest
	case isUserData(base):
		return template
	}
	ext := path.Ext(base)
	switch byExtension(ext) {
	case documentation:
		if ext == ".txt" {
			return program // scripts are shipped so, and the first line tells
		}
		return unread
	case Shell, Bash, PowerShell, Batch, Docker, Make, Systemd, "":
		return script
	case Terraform, structured, Template:
		return template
	}
	if isMedia(ext) {
		return unread
	}
	return program
}

// isMedia knows endings of files that are never text; the content would tell,
// but it need not be fetched.
func isMedia(ext string) bool {
	switch ext {
	case ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".bmp", ".tiff", ".woff", ".woff2", ".ttf", ".otf", ".eot",
		".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".tar", ".jar", ".war", ".class", ".pyc", ".o", ".a", ".so", ".dylib", ".dll", ".exe", ".wasm",
		".pdf", ".mp3", ".mp4", ".mov", ".avi", ".webm", ".ogg", ".wav", ".flac", ".sqlite", ".db", ".parquet", ".pack", ".idx":
		return true
	}
	return false
}

// words are what makes a file worth reading besides the address.
func (c nameClass) words() *dictionary {
	switch c {
	case script:
		return commands()
	case template:
		return settings()
	case manifest:
		return libraries()
	}
	return nil
}
