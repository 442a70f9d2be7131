package emulator

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"sync"
	"time"

	"tegata/imds"
)

// An issuer hands out the credentials of a role. As on EC2, a new set appears
// well before the old one ends, here when half of its lifetime is over, and
// the old set stays valid until its own end.
type issuer struct {
	role Role
	now  func() time.Time

	mu   sync.Mutex
	sets []issued // oldest first
}

type issued struct {
	imds.Credentials
	document []byte
}

// overdue is how long ago the credentials of an Expired role ended: more than
// any client's clock is off, or than SDKs extend a lifetime.
const overdue = time.Hour

func newIssuer(r Role, now func() time.Time) *issuer {
	return &issuer{role: r, now: now}
}

// document returns the current set in the text form of the service.
func (i *issuer) document() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	if last := len(i.sets) - 1; last >= 0 && !i.stale(i.sets[last], now) {
		return i.sets[last].document
	}
	i.forget(now)
	c := i.issue(now.UTC().Truncate(time.Second))
	i.sets = append(i.sets, issued{c, c.Document()})
	return i.sets[len(i.sets)-1].document
}

func (i *issuer) stale(set issued, now time.Time) bool {
	if i.role.Failure != "" || i.role.Expired {
		return false
	}
	return now.After(set.Expiration.Add(-i.role.Lifetime / 2))
}

func (i *issuer) forget(now time.Time) {
	i.sets = slices.DeleteFunc(i.sets, func(set issued) bool {
		return now.After(set.Expiration.Add(i.role.Lifetime))
	})
}

func (i *issuer) issue(now time.Time) imds.Credentials {
	if i.role.Failure != "" {
		return imds.Credentials{Code: i.role.Failure, Message: i.role.Message, LastUpdated: now}
	}
	if i.role.Expired {
		now = now.Add(-i.role.Lifetime - overdue)
	}
	return imds.Credentials{
		Code:            "Success",
		LastUpdated:     now,
		Type:            "AWS-HMAC",
		AccessKeyID:     "ASIA" + rand.Text()[:16],
		SecretAccessKey: randomSecret(30),
		Token:           "IQoJb3JpZ2luX2Vj" + randomSecret(510), // as STS's begin, about as long
		Expiration:      now.Add(i.role.Lifetime),
	}
}

// randomSecret returns n random bytes in base64.
func randomSecret(n int) imds.Secret {
	b := make([]byte, n)
	rand.Read(b)
	return imds.Secret(base64.StdEncoding.EncodeToString(b))
}

func (i *issuer) credential(id string) (imds.Credentials, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, set := range i.sets {
		if set.AccessKeyID == id && id != "" {
			return set.Credentials, true
		}
	}
	return imds.Credentials{}, false
}

// profileID returns an id of the form that IAM gives to instance profiles.
func profileID() string { return "AIPA" + rand.Text()[:17] }
