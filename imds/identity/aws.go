package identity

import (
	"crypto/x509"
	"embed"
	"fmt"
	"slices"
	"strings"
)

// The certificates are facts, with their sources in the head of each file.
// They are read when they are asked for: most programs never do.
//
//go:embed certificates/*.pem
var published embed.FS

// file names what holds the certificates of a kind; "" is for dsa2048, for
// which AWS publishes none.
func file(kind Kind) string {
	switch kind {
	case PKCS7:
		return "certificates/dsa.pem"
	case Signature:
		return "certificates/rsa.pem"
	case RSA2048:
		return "certificates/rsa2048.pem"
	}
	return ""
}

// AWS returns the certificate with which AWS signs documents of a region. The
// error is [ErrNoCertificate] if AWS publishes none for the kind, or if the
// region is newer than the list.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/regions-certs.html
func AWS(kind Kind, region string) ([]*x509.Certificate, error) {
	if file(kind) == "" {
		return nil, fmt.Errorf("%w: AWS publishes none for %s", ErrNoCertificate, kind)
	}
	for _, e := range entries(kind) {
		if slices.Contains(e.regions, region) {
			return ParseCertificates([]byte(e.pem))
		}
	}
	return nil, fmt.Errorf("%w: of AWS for %s in region %q", ErrNoCertificate, kind, region)
}

// Regions returns the regions whose certificate for a kind is known, in order.
func Regions(kind Kind) []string {
	var all []string
	for _, e := range entries(kind) {
		all = append(all, e.regions...)
	}
	slices.Sort(all)
	return all
}

// SignedIn returns the regions with whose certificate of AWS the signature
// holds; none if it was not AWS who signed this document. Many regions share
// one key.
func SignedIn(document, signature []byte, kind Kind) []string {
	var regions []string
	for _, e := range entries(kind) {
		certificates, err := ParseCertificates([]byte(e.pem))
		if err != nil {
			continue
		}
		if _, err := Verify(document, signature, kind, certificates); err == nil {
			regions = append(regions, e.regions...)
		}
	}
	slices.Sort(regions)
	return regions
}

// An entry is one certificate of a file, with the regions that use it.
type entry struct {
	regions []string
	pem     string
}

func entries(kind Kind) []entry {
	text, err := published.ReadFile(file(kind))
	if err != nil {
		return nil
	}
	var list []entry
	for _, stanza := range strings.Split(string(text), "\nregions: ")[1:] {
		regions, rest, _ := strings.Cut(stanza, "\n")
		list = append(list, entry{strings.Fields(regions), rest})
	}
	return list
}
