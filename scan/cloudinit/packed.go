package cloudinit

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
	"strings"

	"tegata/scan"
)

// maxUnpacked bounds what is unpacked; user data has 16 KB, and cloud-init's
// files not much more.
const maxUnpacked = 8 << 20

// unpacked returns what a text that is all base64 or gzip holds, nil if it is
// neither. It can be read only: one byte more would change all that follows.
func unpacked(t *scan.Text) *scan.Text {
	if raw, ok := inflate(t.Body); ok {
		return fixed(t, raw, "gzip")
	}
	if raw, ok := decode(t.Body); ok && known(raw) {
		return fixed(t, raw, "base64")
	}
	return nil
}

// known reports whether something decoded is user data, and not a word that
// happens to be base64, too.
func known(raw string) bool {
	for _, prefix := range []string{"#!", "#cloud", "#include", "## template", "<powershell>", "<script>", "Content-Type:", "MIME-Version:", "\x1f\x8b"} {
		if strings.HasPrefix(raw, prefix) {
			return true
		}
	}
	return false
}

// fixed is a text that stands in another one in a way that can't be changed.
func fixed(t *scan.Text, raw, name string) *scan.Text {
	b := t.Within()
	b.Decoded(scan.Span{End: len(t.Body)}, raw)
	return b.Text(scan.CloudInit, scan.Layer{Name: name}, name)
}

func decode(s string) (string, bool) {
	s = strings.NewReplacer("\n", "", "\r", "", " ", "", "\t", "").Replace(s)
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(s)
	}
	return string(raw), err == nil && len(raw) > 0
}

func inflate(s string) (string, bool) {
	if !strings.HasPrefix(s, "\x1f\x8b") {
		return "", false
	}
	r, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		return "", false
	}
	var out bytes.Buffer
	_, err = io.Copy(&out, io.LimitReader(r, maxUnpacked))
	return out.String(), err == nil
}
