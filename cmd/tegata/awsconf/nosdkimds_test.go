package awsconf

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The SDK's own metadata client dials the real address unless it is told
// otherwise everywhere. The linker drops functions that nothing can reach, so
// what this program does not hold, it can't call.
func TestSDKMetadataClientIsNotLinked(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	const sdk = "github.com/aws/aws-sdk-go-v2/"
	linked := func(parts ...string) bool { return bytes.Contains(program, []byte(strings.Join(parts, ""))) }
	if !linked(sdk, "service/sts.", "New") {
		t.Fatal("the names of functions are not in the program, so this test sees nothing")
	}
	for _, name := range []string{"feature/ec2/imds.New", "credentials/ec2rolecreds.New", "config.LoadDefaultConfig"} {
		if linked(sdk, name) {
			t.Errorf("%s is in the program: something can reach it", name)
		}
	}
}
