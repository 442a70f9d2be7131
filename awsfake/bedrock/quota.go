package bedrock

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tegata/awsfake/wire"
)

// The kinds of quota that Bedrock Runtime has for each model, as Service Quotas
// names them before " for " and the model's name.
const (
	OnDemandRequests    = "On-demand model inference requests per minute"
	OnDemandTokens      = "On-demand model inference tokens per minute"
	CrossRegionRequests = "Cross-region model inference requests per minute"
	CrossRegionTokens   = "Cross-region model inference tokens per minute"
	GlobalRequests      = "Global cross-region model inference requests per minute"
	GlobalTokens        = "Global cross-region model inference tokens per minute"
)

const (
	tooManyRequests = "Too many requests, please wait before trying again."
	tooManyTokens   = "Too many tokens, please wait before trying again."
)

// quotas count what is used. A quota is a bucket that is full at first and
// fills again within a minute. A call takes what it may need at most as it
// begins, and gives back what it has not used as it ends
// (https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html).
type quotas struct {
	mu      sync.Mutex
	buckets map[quota]*bucket
}

type quota struct{ region, model, kind string }

type bucket struct {
	limit, left float64
	at          time.Time // when left was so much
}

// refill brings a bucket up to now. A limit that has been raised is there at
// once.
func (b *bucket) refill(now time.Time, limit float64) {
	b.left += limit - b.limit + max(0, now.Sub(b.at).Minutes())*limit
	b.left, b.limit, b.at = min(b.left, limit), limit, now
}

// A lease is what a call has taken of the tokens of a minute. Nil is one of a
// quota without a limit.
type lease struct {
	of       *quotas
	from     *bucket
	taken    float64
	burndown float64
}

// reserve takes one request, and the tokens that it may need. A limit of less
// than zero is none.
func (qs *quotas) reserve(c *wire.Call, limit func(region, model, kind string) float64, t target, q question) (*lease, error) {
	if limit == nil {
		return nil, nil
	}
	requests, tokens := t.quotaKinds()
	qs.mu.Lock()
	defer qs.mu.Unlock()
	ofRequests := qs.bucket(c, t, requests, limit)
	ofTokens := qs.bucket(c, t, tokens, limit)
	need := float64(q.inputTokens() + q.maxTokens(t.model))
	switch {
	case ofRequests != nil && ofRequests.left < 1:
		return nil, throttled(tooManyRequests)
	case ofTokens != nil && ofTokens.left < need:
		return nil, throttled(tooManyTokens)
	}
	if ofRequests != nil {
		ofRequests.left--
	}
	if ofTokens == nil {
		return nil, nil
	}
	ofTokens.left -= need
	return &lease{qs, ofTokens, need, t.model.burndown()}, nil
}

// bucket returns that of one quota as it is now, or nil if it has no limit.
func (qs *quotas) bucket(c *wire.Call, t target, kind string, limit func(region, model, kind string) float64) *bucket {
	most := limit(c.Region, t.model.ID, kind)
	if most < 0 {
		return nil
	}
	key := quota{c.Region, t.model.ID, kind}
	b, ok := qs.buckets[key]
	if !ok {
		if qs.buckets == nil {
			qs.buckets = map[quota]*bucket{}
		}
		b = &bucket{limit: most, left: most, at: c.Now()}
		qs.buckets[key] = b
	}
	b.refill(c.Now(), most)
	return b
}

// settle gives back what was taken and not used, or takes what was used beyond
// that. What came out of the cache costs nothing.
func (l *lease) settle(now time.Time, u usage) {
	if l == nil {
		return
	}
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	used := float64(u.input+u.cacheWrite) + float64(u.output)*l.burndown
	l.from.refill(now, l.from.limit)
	l.from.left = min(l.from.limit, l.from.left+l.taken-used)
}

func throttled(message string) error {
	return &wire.Error{Status: http.StatusTooManyRequests, Code: "ThrottlingException", Message: message}
}

// quotaKinds are those that a call by this way is counted by. A profile with a
// single region is counted as its model.
func (t target) quotaKinds() (requests, tokens string) {
	switch {
	case t.profile == nil, len(t.profile.Regions) == 1 && t.profile.Regions[0] != "":
		return OnDemandRequests, OnDemandTokens
	case slices.Contains(t.profile.Regions, ""):
		return GlobalRequests, GlobalTokens
	}
	return CrossRegionRequests, CrossRegionTokens
}

// burndown is how many tokens of quota one token of output takes: five for
// Claude from 3.7 on.
func (m Model) burndown() float64 {
	name, ok := strings.CutPrefix(m.ID, "anthropic.claude-")
	if !ok || strings.HasPrefix(name, "3-") && !strings.HasPrefix(name, "3-7-") {
		return 1
	}
	return 5
}

// What is reserved for a question that sets no maxTokens: all that the model
// can give. The numbers are from memory of the model cards.
const (
	mostOfNewClaude = 64_000
	mostOfOthers    = 8192
)

func (q question) maxTokens(m Model) int {
	switch {
	case q.InferenceConfig.MaxTokens != nil:
		return *q.InferenceConfig.MaxTokens
	case m.burndown() > 1:
		return mostOfNewClaude
	}
	return mostOfOthers
}
