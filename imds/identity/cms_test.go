package identity

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

// What is read of an element and what follows it are the input again, and a
// message gives nothing that was not in it.
func FuzzParseMessage(f *testing.F) {
	for _, name := range []string{"us-east-1-2016.pkcs7", "us-east-1-2017.rsa2048"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		raw, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		f.Add(raw[:len(raw)/2])
	}
	for _, seed := range []string{"", "\x30", "\x30\x80", "\x30\x80\x00\x00", "\x30\x84\xff\xff\xff\xff", "\x30\x83\x00\x00\x00", "\x1f\x81\x00", "\x04\x80\x00\x00", "\x24\x80\x04\x01a\x00\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if e, rest, err := readElement(raw, 0); err == nil {
			if !bytes.Equal(append(bytes.Clone(e.whole), rest...), raw) || !bytes.Contains(e.whole, e.content) {
				t.Errorf("%x was read as %+v and %x", raw, e, rest)
			}
		}
		m, err := parseMessage(raw)
		if err != nil {
			return
		}
		for name, part := range map[string][]byte{"issuer": m.issuer, "serial number": m.serial, "digest": m.digest, "signature": m.signature, "attributes": m.attributes[1:]} {
			if len(part) == 0 && name != "signature" && name != "digest" && name != "serial number" || !bytes.Contains(raw, part) {
				t.Errorf("%s %x is not in %x", name, part, raw)
			}
		}
		if len(m.content) > len(raw) || m.hash == 0 {
			t.Errorf("%x: content %x, hash %v", raw, m.content, m.hash)
		}
	})
}
