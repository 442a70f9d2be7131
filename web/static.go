package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// mediaTypes are those of built files. The system's own table differs from
// machine to machine.
var mediaTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".webmanifest": "application/manifest+json", ".png": "image/png",
}

// serveBuilt answers with a file of dist. Names hold a hash of the content, so
// that browsers may keep them for good.
func serveBuilt(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, err := files.ReadFile("dist/" + name)
	kind, known := mediaTypes[path.Ext(name)]
	if err != nil || !known {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if p := packedFile(name, content); len(p) < len(content) && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		content = p
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.Write(content) // a reader that went away needs no answer
}

func takesGzip(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept-Encoding"), ","), func(s string) bool {
		name, parameter, _ := strings.Cut(strings.TrimSpace(s), ";")
		return name == "gzip" && (parameter == "" || strings.Trim(parameter, " q=0.") != "") // q=0 refuses it
	})
}

var packed sync.Map // name → []byte

// packedFile returns the content compressed, once for each file.
func packedFile(name string, content []byte) []byte {
	if p, ok := packed.Load(name); ok {
		return p.([]byte)
	}
	p := pack(content, gzip.BestCompression)
	packed.Store(name, p)
	return p
}

// pack compresses content at a level that gzip has.
func pack(content []byte, level int) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	z.Write(content) // to memory, which doesn't fail
	z.Close()
	return b.Bytes()
}
