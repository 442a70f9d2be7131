package cli_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tegata/cmd/tegata/cli"
	"tegata/emulator"
	"tegata/imds/identity"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // each process would wait a second at its end
	testscript.Main(m, map[string]func(){
		"tegata": func() { os.Exit(cli.Main(context.Background(), cli.ThisProcess())) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		Condition:           condition,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "misbehave": misbehave, "refuse": refuse, "testca": testCA},
	})
}

// condition knows [box]: this system makes boxes. Where nothing may be
// skipped it is taken for true.
func condition(name string) (bool, error) {
	if name != "box" {
		return false, errors.New("unknown condition " + name)
	}
	return os.Getenv("TEGATA_REQUIRE") == "all" || boxes(), nil
}

func boxes() bool {
	cmd := exec.Command("tegata", "sandbox", "--", "true")
	return cmd.Run() == nil
}

// exits runs a command that must end with a status: exits 2 tegata get.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND ARGUMENT...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}

// testca writes the certificates of the emulator, and to another file the same
// as if those with an RSA key had ended: testca FILE FILE.
func testCA(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: testca FILE FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), emulator.CA(), 0o600))
	certificates, err := identity.ParseCertificates(emulator.CA())
	ts.Check(err)
	var ended []byte
	for _, cert := range certificates {
		der := cert.Raw
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok {
			der = reissued(ts, cert, key)
		}
		ended = append(ended, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), ended, 0o600))
}

// reissued is a certificate with the same names, number and key that ended
// long ago.
func reissued(ts *testscript.TestScript, cert *x509.Certificate, key *rsa.PublicKey) []byte {
	issuer, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: cert.SerialNumber, RawSubject: cert.RawSubject,
		NotBefore: time.Unix(1e9, 0), NotAfter: time.Date(2024, 6, 5, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{RawSubject: cert.RawIssuer}, key, issuer)
	ts.Check(err)
	return der
}
