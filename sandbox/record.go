package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"tegata/internal/policy"
)

// A Record is what AWS was asked to permit.
type Record struct {
	Principal string       // ARN of the user or role that called first; "" when nobody has
	Uses      []policy.Use // of the principal, each once, in the order of their first call
	Others    []string     // ARNs of users and roles that called as well, such as roles that were assumed
}

// free are the actions that AWS permits to everybody who can sign.
var free = []string{"sts:GetCallerIdentity", "sts:GetSessionToken"}

// principalKey is the condition key that tells who called: a user, or the
// role behind a session.
const principalKey = "aws:PrincipalArn"

// A recorder keeps a [Record] once it has been switched on.
type recorder struct {
	mu     sync.Mutex
	on     bool
	record Record
	seen   map[string]bool
}

// Record keeps what AWS is asked to permit from now on, for [Sandbox.Recorded].
func (b *Sandbox) Record() {
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	b.recorder.on, b.recorder.seen = true, map[string]bool{}
}

// Recorded is what AWS has been asked to permit since [Sandbox.Record].
func (b *Sandbox) Recorded() Record {
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	r := b.recorder.record
	return Record{Principal: r.Principal, Uses: slices.Clone(r.Uses), Others: slices.Clone(r.Others)}
}

// note takes down one decision, unless it is there already or needs no
// permission.
func (r *recorder) note(u policy.Use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	principal := u.Context[principalKey]
	if !r.on || principal == "" || slices.Contains(free, u.Action) {
		return
	}
	if r.record.Principal == "" {
		r.record.Principal = principal
	}
	if principal != r.record.Principal {
		if !slices.Contains(r.record.Others, principal) {
			r.record.Others = append(r.record.Others, principal)
		}
		return
	}
	u.Context = ofService(u.Context)
	if key := fmt.Sprint(u); !r.seen[key] { // fmt sorts the keys of maps
		r.seen[key] = true
		r.record.Uses = append(r.record.Uses, u)
	}
}

// ofService leaves out the condition keys that every request has, of which
// some differ from call to call, and that every session of an instance has.
func ofService(context map[string]string) map[string]string {
	of := maps.Clone(context)
	maps.DeleteFunc(of, func(key, _ string) bool {
		return strings.HasPrefix(strings.ToLower(key), "aws:") || key == sourceInstance || key == roleDelivery
	})
	return of
}
