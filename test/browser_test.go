//go:build unix

package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The page in Chromium, in one process for all tests: js/browser says what
// each of them looks at. TestBrowser/tabs runs those with tabs in their name.
func TestBrowser(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "node")
	chromium := requireChromium(t)
	if _, err := os.Stat("js/node_modules/playwright-core"); err != nil {
		require(t, errors.New("the packages of test/js are not installed: npm ci --prefix test/js"))
	}
	cmd := command(t, "sandbox", "--scenario", scenario(t, "bedrock: {pace: 20ms}\n"), "--", "node", "js/browser/main.mjs", chosen())
	cmd.Env = append(cmd.Env, binaryEnv+"="+tegata, "CHROMIUM="+chromium)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	looked := 0
	for lines := bufio.NewScanner(stdout); lines.Scan(); looked++ {
		report(t, lines.Bytes())
	}
	if err := cmd.Wait(); err != nil || looked == 0 {
		t.Errorf("%d tests, then %v\n%s", looked, err, stderr.String())
	}
}

// requireChromium returns the path of the browser, which distributions name
// as they like.
func requireChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require(t, errors.New("no Chromium in PATH"))
	return ""
}

// report takes over the outcome of one test: a line of JSON.
func report(t *testing.T, line []byte) {
	var outcome struct {
		Name, Error, First string
		Ms                 int
	}
	if err := json.Unmarshal(line, &outcome); err != nil {
		t.Errorf("%v: %s", err, line)
		return
	}
	t.Run(outcome.Name, func(t *testing.T) {
		t.Logf("%d ms", outcome.Ms)
		if outcome.First != "" {
			t.Logf("run twice, since at first: %s", outcome.First)
		}
		if outcome.Error != "" {
			t.Error(outcome.Error)
		}
	})
}

// chosen is what -run says about the tests in the browser.
func chosen() string {
	_, pattern, _ := strings.Cut(flag.Lookup("test.run").Value.String(), "/")
	return strings.ReplaceAll(pattern, "_", " ")
}
