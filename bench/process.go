package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// runs is how often each program is started.
const runs = 40

// coldStart compares the start of tegata with that of a Go program that does
// nothing: the difference is what is linked, and what it does unasked.
func coldStart(ctx context.Context, tegata, empty string) ([]row, error) {
	pairs, err := alternately(runs,
		func() (sample, error) { return runOnce(exec.CommandContext(ctx, tegata, "version")) },
		func() (sample, error) { return runOnce(exec.CommandContext(ctx, empty)) })
	if err != nil {
		return nil, err
	}
	const what, peer = "`tegata version`, ", "an empty Go program"
	return []row{
		compare(what+"processor", peer, 5, pairs, ofProcessor),
		compare(what+"clock", peer, 0, pairs, onTheClock),
	}, nil
}

// twoCurls is what a shell script does to read one value by IMDSv2.
const twoCurls = `set -eu
base=http://169.254.169.254/latest
token=$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$base/api/token")
curl -fsS -H "X-aws-ec2-metadata-token: $token" "$base/meta-data/instance-id"
`

// getInABox compares one read of the metadata with two curls. Both run in
// the sandbox, so nothing can ask an address of the real metadata service.
func getInABox(ctx context.Context, tegata string) ([]row, error) {
	if _, err := exec.LookPath("curl"); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, tegata, "sandbox", "--", self, "reads", tegata)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", cmd, err)
	}
	var pairs []pair
	if err := json.Unmarshal(out, &pairs); err != nil {
		return nil, fmt.Errorf("read what was measured in the sandbox: %w", err)
	}
	const what, peer = "`tegata get instance-id`, ", "a script with two curls"
	return []row{
		compare(what+"clock", peer, 0.5, pairs, onTheClock),
		compare(what+"processor", peer, 0, pairs, ofProcessor),
	}, nil
}

// measureReads runs in the sandbox and writes the pairs as JSON.
func measureReads(tegata string, w io.Writer) error {
	pairs, err := alternately(runs,
		func() (sample, error) { return runOnce(exec.Command(tegata, "get", "instance-id")) },
		func() (sample, error) { return runOnce(exec.Command("sh", "-c", twoCurls)) })
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(pairs)
}
