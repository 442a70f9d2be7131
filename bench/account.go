package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// What the account of the sandbox is compared with.
const peerOfAccount = "moto_server"

const (
	loadClients = 64                          // connections that ask at once
	loadLasts   = 3 * time.Second             // for each of the two
	parameter   = "/bedrock-ui/system-prompt" // of the built-in scenario
	starts      = 5
)

// An account is what was measured of both: until the first answer, answers a
// second under load, and the greatest resident set after it in bytes.
type account struct {
	Start     []pair
	Answers   [2]float64
	Failed    [2]int64
	Resident  [2]int64
	Processor [2]time.Duration // for an answer
}

// accountBesideMoto compares the account that a sandbox brings along with a
// server of moto. Both run in a sandbox of their own.
func accountBesideMoto(ctx context.Context, tegata string) ([]row, error) {
	if _, err := exec.LookPath(peerOfAccount); err != nil {
		return nil, err
	}
	var a account
	if err := inABox(ctx, tegata, "account", "{}", &a); err != nil {
		return nil, err
	}
	if a.Failed != [2]int64{} {
		return nil, fmt.Errorf("%d of the account's answers and %d of the peer's were errors", a.Failed[0], a.Failed[1])
	}
	const mebi = 1 << 20
	return []row{
		compare("account, up to the first answer, clock", peerOfAccount, 0.05, a.Start, onTheClock),
		times{"account, GetParameter a second", a.Answers[0], peerOfAccount, a.Answers[1], "%.0f", 20, true},
		compare("account, processor for an answer", peerOfAccount, 0,
			[]pair{{sample{CPU: a.Processor[0]}, sample{CPU: a.Processor[1]}}}, ofProcessor),
		times{"account, resident memory after that, MiB", float64(a.Resident[0]) / mebi, peerOfAccount, float64(a.Resident[1]) / mebi, "%.1f", 0, false},
	}, nil
}

// times is a row with two numbers.
type times struct {
	what   string
	ours   float64
	peer   string
	theirs float64
	format string
	budget float64
	more   bool // the greater the better
}

func (t times) String() string {
	budget, sign := "–", "≤"
	if t.more {
		sign = "≥"
	}
	if t.budget > 0 {
		budget = fmt.Sprintf("%s %g", sign, t.budget)
	}
	return fmt.Sprintf("| %s | "+t.format+" | %s | "+t.format+" | %.2f | %s |", t.what, t.ours, t.peer, t.theirs, t.ours/t.theirs, budget)
}

// measureAccount runs in the sandbox, beside whose account it starts the peer.
func measureAccount(ctx context.Context, tegata string, w io.Writer) (err error) {
	var a account
	for range starts {
		ours, err := firstAnswerOfSandbox(ctx, tegata)
		if err != nil {
			return err
		}
		peer, theirs, err := startMoto(ctx)
		if err != nil {
			return err
		}
		peer.stop()
		a.Start = append(a.Start, pair{ours, theirs})
	}
	ours, err := theAccount(ctx, tegata)
	if err != nil {
		return err
	}
	peer, _, err := startMoto(ctx)
	if err != nil {
		return err
	}
	defer peer.stop()
	for i, of := range []service{ours, peer} {
		if err := of.load(ctx, i, &a); err != nil {
			return err
		}
	}
	return json.NewEncoder(w).Encode(a)
}

// firstAnswerOfSandbox is one sandbox from its start to the end of a command
// that asks the account who it is.
func firstAnswerOfSandbox(ctx context.Context, tegata string) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	return runOnce(exec.CommandContext(ctx, tegata, "sandbox", "--", self, "who", tegata))
}

// measureWho asks the account of the sandbox once.
func measureWho(ctx context.Context, tegata string) error {
	s, err := theAccount(ctx, tegata)
	if err != nil {
		return err
	}
	return s.ask(ctx)
}

// A service answers signed calls.
type service struct {
	base, region string
	keys         aws.Credentials
	pid          int
	stop         func()
}

// theAccount is the one of the sandbox that this process runs in: its first
// process serves it.
func theAccount(ctx context.Context, tegata string) (service, error) {
	keys, err := instanceKeys(ctx, tegata)
	return service{base: os.Getenv("AWS_ENDPOINT_URL"), region: os.Getenv("AWS_REGION"), keys: keys, pid: 1, stop: func() {}}, err
}

// startMoto starts the peer and waits for its first answer.
func startMoto(ctx context.Context) (service, sample, error) {
	const address = "127.0.0.1:5555" // the sandbox has nothing else there
	cmd := exec.CommandContext(ctx, peerOfAccount, "-H", "127.0.0.1", "-p", "5555")
	s := service{base: "http://" + address, region: "us-east-1", keys: aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "bench"}}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return s, sample{}, err
	}
	s.pid = cmd.Process.Pid
	s.stop = func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}
	for ctx.Err() == nil {
		if s.put(ctx) == nil {
			return s, sample{Wall: time.Since(began)}, nil
		}
		time.Sleep(time.Millisecond)
	}
	s.stop()
	return s, sample{}, ctx.Err()
}

// put makes the parameter that is asked for.
func (s service) put(ctx context.Context) error {
	return s.call(ctx, http.DefaultClient, "PutParameter", `{"Name":"`+parameter+`","Value":"x","Type":"String","Overwrite":true}`)
}

func (s service) ask(ctx context.Context) error {
	return s.call(ctx, http.DefaultClient, "GetParameter", `{"Name":"`+parameter+`"}`)
}

func (s service) call(ctx context.Context, client *http.Client, operation, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AmazonSSM."+operation)
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, s.keys, req, hex.EncodeToString(sum[:]), "ssm", s.region, time.Now()); err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", operation, resp.Status, said)
	}
	return err
}

// load asks on many connections at once for some seconds.
func (s service) load(ctx context.Context, i int, a *account) error {
	transport := &http.Transport{MaxIdleConnsPerHost: loadClients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	before, err := processorOf(s.pid)
	if err != nil {
		return err
	}
	var answered, failed atomic.Int64
	var clients sync.WaitGroup
	began := time.Now()
	for range loadClients {
		clients.Go(func() {
			for time.Since(began) < loadLasts && ctx.Err() == nil {
				if s.call(ctx, client, "GetParameter", `{"Name":"`+parameter+`"}`) != nil {
					failed.Add(1)
				}
				answered.Add(1)
			}
		})
	}
	clients.Wait()
	took := time.Since(began)
	after, err := processorOf(s.pid)
	if err != nil {
		return err
	}
	a.Answers[i], a.Failed[i] = float64(answered.Load())/took.Seconds(), failed.Load()
	a.Processor[i] = (after - before) / time.Duration(max(1, answered.Load()))
	a.Resident[i], err = residentSet(s.pid, "VmHWM")
	return err
}

// processorOf is what a process has had of the processors so far: the 14th
// and 15th field of its stat, in ticks of 10 ms (proc(5)).
func processorOf(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	var user, system int64
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("read the times of process %d: %d fields", pid, len(fields))
	}
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	return time.Duration(user+system) * 10 * time.Millisecond, err
}
