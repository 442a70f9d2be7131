//go:build linux

package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// putMany puts parameters until it is stopped, and says so once it has begun.
const putMany = `
import botocore.session, itertools, sys
ssm = botocore.session.get_session().create_client("ssm")
for n in itertools.count():
    ssm.put_parameter(Name=f"/many/{n:06}", Value="x" * 2000, Type="String")
    if n == 20:
        print("begun", flush=True)
`

// An account that is kept is whole, however its sandbox ended.
func TestKilledWhileKeeping(t *testing.T) {
	t.Parallel()
	requireBox(t)
	python := requirePython(t)
	path := filepath.Join(t.TempDir(), "account.json")
	most := 0
	for n := range 3 {
		cmd := command(t, "sandbox", "--state", path, "--scenario", scenario(t, administrator), "--", python, "-c", strings.Replace(putMany, "/many/", "/many"+string(rune('a'+n))+"/", 1))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatalf("nothing was put: %v", err)
		}
		time.Sleep(time.Duration(150+37*n) * time.Millisecond) // into the midst of it
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("half an account: %d bytes that end in %q", len(data), data[max(0, len(data)-40):])
		}
		kept := strings.Count(string(data), `"Name": "/many`)
		if kept <= most {
			t.Errorf("%d parameters after %d before", kept, most)
		}
		most = kept
	}
	run(t, "sandbox", "--state", path, "--scenario", scenario(t, administrator), "--", python, "-c",
		`import botocore.session; print(botocore.session.get_session().create_client("ssm").get_parameter(Name="/manyc/000001")["Parameter"]["Type"])`).wants(t, 0, "String")
}
