package cloudinit

import (
	"io"
	"mime"
	"mime/quotedprintable"
	"net/textproto"
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// multipart reads the parts of a MIME message where they stand.
//
// Source: https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
func (d *data) multipart(t *scan.Text, depth int) {
	header, start := headerOf(t.Body, len(t.Body)-len(strings.TrimLeft(t.Body, " \t\r\n")))
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		d.yield(yaml.Whole(t, scan.Template))
		return
	}
	for _, at := range parts(t.Body, start, params["boundary"]) {
		header, start := headerOf(t.Body, at.Start)
		d.mimePart(t, header, scan.Span{Start: start, End: max(start, at.End)}, depth)
	}
}

// headerOf reads the header that begins at an offset, and returns where what
// follows it begins.
func headerOf(body string, start int) (textproto.MIMEHeader, int) {
	header := textproto.MIMEHeader{}
	key := ""
	for start < len(body) {
		line, next := lineAt(body, start)
		name, value, ok := strings.Cut(line, ":")
		switch {
		case line == "":
			return header, next
		case key != "" && (line[0] == ' ' || line[0] == '\t'):
			header.Set(key, header.Get(key)+" "+strings.TrimSpace(line))
		case !ok:
			return header, start
		default:
			key = name
			header.Set(key, strings.TrimSpace(value))
		}
		start = next
	}
	return header, start
}

// lineAt returns a line without its end, and where the next one begins.
func lineAt(body string, start int) (line string, next int) {
	line, _, found := strings.Cut(body[start:], "\n")
	next = start + len(line)
	if found {
		next++
	}
	return strings.TrimSuffix(line, "\r"), next
}

// parts returns where the parts between boundaries stand. The end of the line
// before a boundary belongs to the boundary.
func parts(body string, start int, boundary string) (all []scan.Span) {
	open := -1
	for start < len(body) {
		line, next := lineAt(body, start)
		line = strings.TrimRight(line, " \t")
		last := line == "--"+boundary+"--"
		if last || line == "--"+boundary {
			if open >= 0 {
				end := strings.TrimSuffix(strings.TrimSuffix(body[open:start], "\n"), "\r")
				all = append(all, scan.Span{Start: open, End: open + len(end)})
			}
			open = next
		}
		if last {
			return all
		}
		start = next
	}
	if open >= 0 && open < len(body) {
		all = append(all, scan.Span{Start: open, End: len(body)})
	}
	return all
}

func (d *data) mimePart(t *scan.Text, header textproto.MIMEHeader, at scan.Span, depth int) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	_, params, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	origin := "part " + params["filename"]
	if params["filename"] == "" {
		origin = "part " + kind
	}
	inner := transferred(t, at, header.Get("Content-Transfer-Encoding"), origin)
	switch {
	case inner == nil:
	case kind == "text/cloud-config":
		d.config(inner)
	case kind == "text/x-shellscript":
		d.script(inner)
	case strings.HasPrefix(kind, "multipart/"):
		d.nestedParts(inner, header, depth)
	default:
		d.read(inner, depth+1)
	}
}

// nestedParts reads parts within a part, whose header has been read.
func (d *data) nestedParts(t *scan.Text, header textproto.MIMEHeader, depth int) {
	_, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" || depth > maxDepth {
		return
	}
	for _, at := range parts(t.Body, 0, params["boundary"]) {
		header, start := headerOf(t.Body, at.Start)
		d.mimePart(t, header, scan.Span{Start: start, End: max(start, at.End)}, depth+1)
	}
}

// transferred undoes a transfer encoding; nil if that can't be done.
func transferred(t *scan.Text, at scan.Span, encoding, origin string) *scan.Text {
	raw := t.Body[at.Start:at.End]
	switch strings.ToLower(encoding) {
	case "base64":
		text, ok := decode(raw)
		if !ok {
			return nil
		}
		raw = text
	case "quoted-printable":
		text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(raw)))
		if err != nil {
			return nil
		}
		raw = string(text)
	default:
		return part(t, at, scan.CloudInit, "a MIME part", origin)
	}
	b := t.Within()
	b.Decoded(at, raw)
	return b.Text(scan.CloudInit, scan.Layer{Name: "a MIME part in " + encoding}, origin)
}
