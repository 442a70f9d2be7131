package cli

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"tegata/bedrock"
	"tegata/cmd/tegata/awsconf"
)

// upstream is the Bedrock client of a program that serves. It is made when it
// is first wanted, and again while what it needs is not there yet: a role may
// be attached after the programs of its instance have started.
type upstream struct {
	load func(context.Context) (awsconf.Config, error)
	http *http.Client

	mu     sync.Mutex
	client *bedrock.Client
	err    error
	tried  time.Time
}

const (
	reload     = 2 * time.Second // from a failure to the next try
	loadWithin = 5 * time.Second
	idlePerAPI = 256 // connections that wait for their next call, to each host
)

func newUpstream(s *session) *upstream {
	return &upstream{load: s.config, http: &http.Client{Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   idlePerAPI,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}}}
}

// Client returns the client, or why there is none.
func (u *upstream) Client(ctx context.Context) (*bedrock.Client, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.client != nil || u.err != nil && time.Since(u.tried) < reload {
		return u.client, u.err
	}
	loading, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadWithin)
	defer cancel()
	found, err := u.load(loading)
	u.tried, u.err = time.Now(), err
	if err == nil {
		config := bedrockConfig(found)
		config.HTTPClient = u.http
		u.client = bedrock.New(config)
	}
	return u.client, u.err
}

// Forget has the next caller get a client with credentials of its own.
func (u *upstream) Forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.client, u.err = nil, nil
}
