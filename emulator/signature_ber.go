package emulator

import (
	"bytes"
	"time"
)

// Object identifiers, as they are encoded.
const (
	oidData          = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	oidSignedData    = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidContentType   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
	oidMessageDigest = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
	oidSigningTime   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"
	oidRSA           = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	oidSHA1          = "\x2b\x0e\x03\x02\x1a"
	oidSHA256        = "\x60\x86\x48\x01\x65\x03\x04\x02\x01"
	oidSHA1DSA       = "\x2a\x86\x48\xce\x38\x04\x03"
	oidSHA256DSA     = "\x60\x86\x48\x01\x65\x03\x04\x03\x02"
)

// berOne is the version of both structures.
var (
	berNull = []byte{0x05, 0x00}
	berOne  = []byte{0x02, 0x01, 0x01}
)

// berValue returns one element of BER, of any parts up to 64 KiB.
func berValue(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	header := []byte{tag}
	switch n := len(content); {
	case n < 0x80:
		header = append(header, byte(n))
	case n < 0x100:
		header = append(header, 0x81, byte(n))
	default:
		header = append(header, 0x82, byte(n>>8), byte(n))
	}
	return append(header, content...)
}

// berOpen is berValue with its length left open.
func berOpen(tag byte, parts ...[]byte) []byte {
	return append(append([]byte{tag, 0x80}, bytes.Join(parts, nil)...), 0, 0)
}

func berSequence(parts ...[]byte) []byte { return berValue(0x30, parts...) }
func berOID(id string) []byte            { return berValue(0x06, []byte(id)) }

func berAttribute(id string, content []byte) []byte {
	return berSequence(berOID(id), berValue(0x31, content))
}

// berTime is a UTCTime until 2049, then a GeneralizedTime (RFC 5652, section 11.3).
func berTime(t time.Time) []byte {
	if t.Year() < 1950 || t.Year() > 2049 {
		return berValue(0x18, []byte(t.Format("20060102150405Z")))
	}
	return berValue(0x17, []byte(t.Format("060102150405Z")))
}
