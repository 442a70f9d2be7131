package cli

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tegata/cmd/tegata/awsconf"
	"tegata/emulator"
	"tegata/imds"
	"tegata/imds/identity"
)

// signedDocument is what `tegata identity -o json` prints.
type signedDocument struct {
	Document   json.RawMessage    `json:"document"`
	Raw        string             `json:"raw"` // what is signed, to the byte
	Signatures []*signedSignature `json:"signatures"`
}

// signedSignature is one signature as it was served, and what came of it.
type signedSignature struct {
	Kind   identity.Kind `json:"kind"`
	Value  string        `json:"value"`
	Holds  *bool         `json:"holds,omitempty"`  // absent: not checked
	Signer string        `json:"signer,omitempty"` // subject of the certificate
	Serial string        `json:"serial,omitempty"` // number of the certificate
	Until  *time.Time    `json:"until,omitempty"`  // end of the certificate
	Reason string        `json:"reason,omitempty"` // why it does not hold, or was not checked
}

func runIdentity(ctx context.Context, s *session) error {
	fs := s.flags()
	output := oneOf("text", "json")
	fs.Var(output, "o", "")
	verify := fs.Bool("verify", false, "")
	ca := fs.String("ca", "", "")
	if err := s.noArgs(fs); err != nil {
		return err
	}
	if *ca != "" && !*verify {
		return usagef("--ca is for --verify")
	}
	d, err := s.readSigned(ctx)
	if err != nil {
		return cause(ctx, err)
	}
	if *verify {
		err = s.verify(d, *ca)
	}
	switch {
	case output.value == "json":
		return errors.Join(s.printJSON(d), err)
	case err != nil:
		return err
	}
	_, err = io.WriteString(s.Stdout, d.Raw)
	return err
}

// readSigned reads the document and all signatures of it that are served,
// never without a token.
func (s *session) readSigned(ctx context.Context) (*signedDocument, error) {
	var never imds.Policy
	client, err := awsconf.Source{Getenv: s.Getenv}.NewIMDS(ctx, never)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	d := &signedDocument{}
	if d.Raw, err = client.Get(ctx, identity.Directory+"document"); err != nil {
		return nil, err
	}
	if _, err := imds.ParseIdentityDocument([]byte(d.Raw)); err != nil {
		return nil, fmt.Errorf("read the identity document: %w", err)
	}
	d.Document = json.RawMessage(d.Raw)
	for _, kind := range identity.Kinds() {
		value, err := client.Get(ctx, identity.Directory+string(kind))
		if errors.Is(err, imds.ErrAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		d.Signatures = append(d.Signatures, &signedSignature{Kind: kind, Value: value})
	}
	return d, nil
}

// verify checks all signatures against the certificates of a file or, if its
// name is "", against those of AWS. It tells the outcome of each; the error
// is that of the first that does not hold.
func (s *session) verify(d *signedDocument, file string) (first error) {
	certificates, err := certificatesFor(d, file)
	if err != nil {
		return err
	}
	held := 0
	for _, signature := range d.Signatures {
		cert, err := signature.check(d, certificates)
		switch {
		case err == nil:
			held++
			s.tellSigner(signature, cert)
		case signature.Holds == nil:
			s.warn("%s was not checked: %s", string(signature.Kind), signature.Reason)
		case first == nil:
			first = explain(err, d, signature, file)
		default:
			s.warn("%s does not hold: %s", string(signature.Kind), signature.Reason)
		}
	}
	if first == nil && held == 0 {
		return errors.New("verify the identity document: no signature is served that could be checked")
	}
	return first
}

func (s *session) tellSigner(signature *signedSignature, cert *x509.Certificate) {
	s.warn("%s holds: signed by %s, certificate %s", string(signature.Kind), signature.Signer, signature.Serial)
	if time.Now().After(cert.NotAfter) {
		s.warn("the certificate for %s ended on %s; AWS goes on signing with such", string(signature.Kind), cert.NotAfter.Format(time.DateOnly))
	}
}

// certificatesFor returns who may have signed each kind.
func certificatesFor(d *signedDocument, file string) (func(identity.Kind) ([]*x509.Certificate, error), error) {
	if file == "" {
		document, err := imds.ParseIdentityDocument(d.Document)
		return func(kind identity.Kind) ([]*x509.Certificate, error) { return identity.AWS(kind, document.Region) }, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	given, err := identity.ParseCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return func(identity.Kind) ([]*x509.Certificate, error) { return given, nil }, nil
}

// check verifies the signature and notes what came of it. That nobody has a
// certificate for dsa2048, for which AWS publishes none, is no failure.
func (g *signedSignature) check(d *signedDocument, certificates func(identity.Kind) ([]*x509.Certificate, error)) (*x509.Certificate, error) {
	known, err := certificates(g.Kind)
	var cert *x509.Certificate
	if err == nil {
		cert, err = identity.Verify([]byte(d.Raw), []byte(g.Value), g.Kind, known)
	}
	holds := err == nil
	if holds {
		g.Signer, g.Serial, g.Until = cert.Subject.String(), cert.SerialNumber.Text(16), &cert.NotAfter
	} else {
		g.Reason = err.Error()
	}
	unknown := errors.Is(err, identity.ErrNoCertificate) || errors.Is(err, identity.ErrSigner)
	if g.Kind != identity.DSA2048 || !unknown {
		g.Holds = &holds
	}
	return cert, err
}

// explain says who signed instead, if that can be told, and what to do.
func explain(err error, d *signedDocument, g *signedSignature, file string) error {
	document, signature := []byte(d.Raw), []byte(g.Value)
	testCA, _ := identity.ParseCertificates(emulator.CA())
	_, notTest := identity.Verify(document, signature, g.Kind, testCA)
	regions := identity.SignedIn(document, signature, g.Kind)
	switch {
	case errors.Is(err, identity.ErrNoCertificate):
		return hintf(err, "take the certificate of the region from https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/regions-certs.html and give it with --ca FILE")
	case notTest == nil:
		return hintf(fmt.Errorf("%w: it is the test certificate of the emulator, not AWS", err),
			"this instance is an imitation; to verify it as one: tegata emulate --print-ca >ca.pem; tegata identity --verify --ca ca.pem")
	case len(regions) > 0 && file == "":
		return hintf(fmt.Errorf("%w: it is that of AWS in %s", err, strings.Join(regions, ", ")),
			"the document names another region than the one that signed it: do not trust it")
	case len(regions) > 0:
		return hintf(fmt.Errorf("%w: it is that of AWS in %s", err, strings.Join(regions, ", ")), "leave --ca out to verify with the certificates of AWS")
	}
	return hintf(err, "do not trust this document: it, or its signature, is not what AWS signed")
}
