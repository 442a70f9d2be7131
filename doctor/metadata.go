package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"tegata/imds"
	"tegata/internal/message"
	"tegata/internal/report"
)

func metadataChecks() []Check {
	return []Check{
		{
			Name: "imds-setting", Unknown: "TG2900", Run: checkSetting,
			Title: title("settings for instance metadata", "メタデータの設定"),
		},
		{
			Name: "imds-token", Unknown: "TG2900", Run: checkToken,
			Title: title("token for instance metadata", "メタデータのトークン"),
		},
		{
			Name: "instance", Requires: []string{"imds-token"}, Unknown: "TG2900", Run: checkInstance,
			Title: title("instance", "インスタンス"),
		},
	}
}

func title(en, ja string) message.Text {
	return message.Text{message.English: en, message.Japanese: ja}
}

// checkSetting finds the switch that keeps clients from asking at all.
func checkSetting(_ context.Context, h *Host, _ Facts) Outcome {
	const name = "AWS_EC2_METADATA_DISABLED"
	value := h.getenv(name)
	if !isTrue(value) {
		return pass(told("endpoint", h.endpoint(), "asked at %s"))
	}
	if s := h.source(); s.kind != fromRole {
		return pass(told("source", string(s.kind), "switched off, and credentials come from elsewhere: %s"))
	}
	return fail(found("TG2005", map[string]string{
		"variable": name, "value": value, "origin": h.originOf(name),
	}))
}

const (
	tokenPath  = "/latest/api/token"
	ttlHeader  = "X-aws-ec2-metadata-token-ttl-seconds"
	ttlSeconds = "21600"
)

// checkToken asks for a token, and takes apart why none comes.
func checkToken(ctx context.Context, h *Host, _ Facts) Outcome {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	put, get, refused := h.ask(ctx)
	if !put.ok() || !isToken(put.Body) {
		return h.withoutToken(ctx, put, get, refused)
	}
	facts := []report.Field{
		told("token_ttl", put.Header.Get(ttlHeader)+" s", "lasts %s"), fact("put", put.String()), fact("server", put.Header.Get("Server")),
	}
	learn := func(f *Facts) {
		f.Token = put.Body
		if date, err := http.ParseTime(put.Header.Get("Date")); err == nil {
			f.Skew = h.now().Sub(date)
		}
	}
	evidence := put.evidence()
	evidence["put"] = put.String()
	switch {
	case put.Header.Get(ttlHeader) == "":
		return warn(found("TG2016", evidence), facts...).learning(learn)
	case refused.count > 0:
		return warn(found("TG2009", refused.evidence(put)), facts...).learning(learn)
	}
	return pass(facts...).learning(learn)
}

// isToken tells a token from any other body: one word of printable ASCII.
// The service's own are 56 characters.
func isToken(s string) bool {
	return s != "" && len(s) <= 1024 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// throttled counts answers that say "not so fast".
type throttled struct{ count, tries, status int }

func (t throttled) evidence(put probe) map[string]string {
	return map[string]string{
		"put": put.String(), "status": strconv.Itoa(t.status),
		"refused": strconv.Itoa(t.count), "tries": strconv.Itoa(t.tries),
	}
}

// askForToken asks until it is not turned away, three times at most.
func (h *Host) askForToken(ctx context.Context) (put probe, t throttled) {
	for pause := 100 * time.Millisecond; ; pause *= 3 {
		t.tries++
		put = h.probe(ctx, "PUT", tokenPath, ttlHeader, ttlSeconds)
		if put.Status != http.StatusTooManyRequests && put.Status != http.StatusServiceUnavailable {
			return put, t
		}
		t.count, t.status = t.count+1, put.Status
		if t.tries == 3 {
			return put, t
		}
		select {
		case <-ctx.Done():
			return put, t
		case <-time.After(pause):
		}
	}
}

// patience is how long a token may take before something else is tried. AWS
// SDKs give up after a second.
const patience = time.Second

// ask asks for a token and, if none comes, sends a plain GET to learn whether
// only the token is in trouble. A GET without a token counts as a version 1
// call in the instance's metrics, so that none is sent without need.
func (h *Host) ask(ctx context.Context) (put, get probe, t throttled) {
	plain := make(chan probe, 1)
	send := func() { plain <- h.probe(ctx, "GET", instanceIDPath) }
	timer := time.AfterFunc(patience, send)
	put, t = h.askForToken(ctx)
	inTime := timer.Stop()
	if put.ok() && isToken(put.Body) {
		return put, get, t
	}
	if inTime {
		send()
	}
	return put, <-plain, t
}

const instanceIDPath = "/latest/meta-data/instance-id"

// withoutToken tells apart why there is no token.
func (h *Host) withoutToken(ctx context.Context, put, get probe, t throttled) Outcome {
	evidence := put.evidence()
	evidence["put"], evidence["get"], evidence["get_status"] = put.String(), get.String(), strconv.Itoa(get.Status)
	withID := get.ok() && instanceID().MatchString(get.Body)
	answered := withID || get.Err == nil && get.Status == http.StatusUnauthorized
	if withID {
		evidence["instance_id"] = get.Body
	}
	id := "TG2900"
	switch {
	case !put.Connected && !get.Connected:
		return h.notConnected(ctx, evidence)
	case h.hasPath():
		return fail(h.misled(evidence))
	case put.Status == http.StatusForbidden && (put.isForeign() || get.isForeign()):
	case put.silent() && answered:
		id = "TG2003"
		h.measureHops(ctx, evidence)
	case put.Status == http.StatusForbidden && get.Status == http.StatusForbidden:
		id = "TG2004"
	case put.Status == http.StatusForbidden && answered:
		id = "TG2012"
	case put.Status == http.StatusBadRequest:
		id = "TG2017"
	case t.count > 0:
		id, evidence = "TG2009", t.evidence(put)
	case put.ok():
		evidence["outcome"] = "a body that is no token"
	}
	return fail(found(id, evidence))
}

// usualHopLimit lets the token pass one router, the bridge of a container's
// network.
const usualHopLimit = 2

// measureHops adds the hop limit that lets the token arrive here, and how many
// routers lie in between where that can be measured.
func (h *Host) measureHops(ctx context.Context, evidence map[string]string) {
	client := imds.Client{Endpoint: h.endpoint(), Dial: h.Dial}
	way, err := client.Hops(ctx)
	if err == nil && way.Routers > 0 {
		evidence["routers"] = strconv.Itoa(way.Routers)
	}
	evidence["hop_limit_needed"] = strconv.Itoa(max(usualHopLimit, way.HopLimit()))
}

var instanceID = pattern(`^i-[0-9a-f]{8,17}$`)

// notConnected tells a machine that is no instance from an instance that
// can't reach its metadata. The firmware knows.
func (h *Host) notConnected(ctx context.Context, evidence map[string]string) Outcome {
	vendor := h.vendor()
	switch {
	case h.endpoint() == ipv6Endpoint && h.getenv(modeVariable) != "":
		if h.answersOnIPv4(ctx) {
			evidence["origin"] = h.originOf(modeVariable)
			return fail(found("TG2010", evidence))
		}
	case h.endpoint() != realEndpoint && h.getenv(endpointVariable) != "":
		return fail(h.misled(evidence))
	}
	if vendor == "" || vendor == ec2Vendor || h.endpoint() != realEndpoint {
		return fail(found("TG2900", evidence))
	}
	if s := h.source(); s.kind != fromRole {
		return skip("this is no EC2 instance, and the credentials come from elsewhere")
	}
	evidence["vendor"] = vendor
	return fail(found("TG2008", evidence))
}

const (
	endpointVariable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
	modeVariable     = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
)

// misled is the finding for an address of metadata that somebody has set and
// that does not lead there.
func (h *Host) misled(evidence map[string]string) finding {
	evidence["origin"] = h.originOf(endpointVariable)
	return found("TG2018", evidence)
}

// hasPath reports whether the address that is set has a path. Clients put
// their own behind it.
func (h *Host) hasPath() bool {
	u, err := url.Parse(h.endpoint())
	return h.getenv(endpointVariable) != "" && err == nil && u.Path != ""
}

func (h *Host) answersOnIPv4(ctx context.Context) bool {
	there := *h
	there.IMDS = realEndpoint
	p := there.probe(ctx, "PUT", tokenPath, ttlHeader, ttlSeconds)
	return p.ok() && isToken(p.Body)
}

const ec2Vendor = "Amazon EC2"

// vendor returns who made this machine, by its firmware, or "".
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
func (h *Host) vendor() string {
	return strings.TrimSpace(h.read("/sys/class/dmi/id/sys_vendor"))
}

// instanceIDFromFiles knows the instance when its metadata does not answer:
// Nitro writes the id into the firmware, cloud-init into a file.
func (h *Host) instanceIDFromFiles() string {
	for _, path := range []string{"/sys/class/dmi/id/board_asset_tag", "/var/lib/cloud/data/instance-id"} {
		if id := strings.TrimSpace(h.read(path)); instanceID().MatchString(id) {
			return id
		}
	}
	return ""
}

// checkInstance reads who the instance is, from three places at once: each
// may fail by itself.
func checkInstance(ctx context.Context, h *Host, known Facts) Outcome {
	id, region, document := h.identity(ctx, known.Token)
	learn := func(f *Facts) {
		if id.ok() && instanceID().MatchString(strings.TrimSpace(id.Body)) {
			f.InstanceID = strings.TrimSpace(id.Body)
		}
		if region.ok() && regionName().MatchString(strings.TrimSpace(region.Body)) {
			f.IMDSRegion = strings.TrimSpace(region.Body)
		}
	}
	for _, p := range []probe{id, region, document} {
		if !p.ok() {
			return odd(p, p.outcome()).learning(learn)
		}
	}
	doc, err := imds.ParseIdentityDocument([]byte(document.Body))
	switch {
	case err != nil:
		return odd(document, "a body that is no identity document").learning(learn)
	case !regionName().MatchString(strings.TrimSpace(region.Body)):
		return odd(region, "a body that is no region").learning(learn)
	case !instanceID().MatchString(strings.TrimSpace(id.Body)):
		return odd(id, "a body that is no instance id").learning(learn)
	}
	return pass(
		told("instance_id", strings.TrimSpace(id.Body), "%s"), told("instance_type", doc.InstanceType, "%s"),
		told("imds_region", strings.TrimSpace(region.Body), "%s"), fact("account", doc.AccountID),
	).learning(learn)
}

// odd is an answer of metadata that fits no known fault.
func odd(p probe, outcome string) Outcome {
	evidence := p.evidence()
	evidence["outcome"] = outcome
	return fail(found("TG2900", evidence))
}

func (h *Host) identity(ctx context.Context, token string) (id, region, document probe) {
	var all sync.WaitGroup
	all.Go(func() { id = h.get(ctx, token, "meta-data/instance-id") })
	all.Go(func() { region = h.get(ctx, token, "meta-data/placement/region") })
	all.Go(func() { document = h.get(ctx, token, "dynamic/instance-identity/document") })
	all.Wait()
	return id, region, document
}

// originOf says where a variable was set: in the .env file of the
// application, by line, when it says the same there, else in the environment.
func (h *Host) originOf(variable string) string {
	path := filepath.Join(h.Dir, ".env")
	for _, a := range parseDotenv(h.read(path)) {
		if a.name == variable && a.value == h.getenv(variable) {
			return fmt.Sprintf("%s:%d", path, a.line)
		}
	}
	return "$" + variable
}
