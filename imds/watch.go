package imds

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const (
	watchInterval = 5 * time.Second // as the EC2 User Guide recommends for interruption notices
	watchFastest  = time.Second
	watchSlowest  = 5 * time.Minute // between rounds while the service fails
)

// Watching says what [Client.Watch] looks at.
type Watching struct {
	// Paths are those of values, as for [Client.Get].
	Paths []string

	// Interval is the pause between two rounds through the paths, give or take
	// a tenth; at least one second. Zero means five seconds.
	Interval time.Duration
}

// A Change is what became of a value.
type Change struct {
	Path  string // as it was given
	Event Event
	Value string // what it is now; "" if it is absent
}

// An Event is what happened to a value. The first two tell how it was found,
// once for each path; the others what came later.
type Event string

const (
	Present     Event = "present"
	Absent      Event = "absent"
	Appeared    Event = "appeared"
	Changed     Event = "changed"
	Disappeared Event = "disappeared"
)

// Watch reads values again and again, and tells how each is found first and
// then each of its changes, once. It ends with ctx, which is told by nothing,
// or when the loop over it is left; nothing runs on behind it, and nothing
// is read while the body of the loop runs.
//
// Whatever it watches, it reads one value at a time, and pauses between two
// rounds. A failed read is told with its path and its
// [*Error], ends its round, and doubles the pause, up to five minutes; the
// next round begins behind the path that failed. Wrong settings, which are
// of kind [ErrInvalid], end everything.
//
// What is wrong with the service for a while is no change: a value is gone
// only when the service says so.
func (c *Client) Watch(ctx context.Context, w Watching) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		if err := w.check(); err != nil {
			yield(Change{}, err)
			return
		}
		p := poller{client: c, values: make([]watched, len(w.Paths))}
		for i, path := range w.Paths {
			p.values[i].path = path
		}
		p.run(ctx, w.interval(), yield)
	}
}

func (w *Watching) interval() time.Duration {
	if w.Interval == 0 {
		return watchInterval
	}
	return w.Interval
}

func (w *Watching) check() error {
	var err error
	switch {
	case len(w.Paths) == 0:
		err = errors.New("no path to watch")
	case w.interval() < watchFastest:
		err = fmt.Errorf("interval %v is shorter than %v", w.Interval, watchFastest)
	default:
		for i, path := range w.Paths {
			if slices.Contains(w.Paths[:i], path) {
				err = fmt.Errorf("path %q stands twice", path)
			}
		}
	}
	if err != nil {
		return &Error{Kind: ErrInvalid, Method: "GET", Path: strings.Join(w.Paths, " "), Err: err}
	}
	return nil
}

// A watched is a value as it was seen last.
type watched struct {
	path    string
	seen    bool
	present bool
	value   string
}

// A poller reads values round by round.
type poller struct {
	client *Client
	values []watched
	begin  int // where the next round begins
}

func (p *poller) run(ctx context.Context, interval time.Duration, yield func(Change, error) bool) {
	pause := interval
	for {
		failed, goOn := p.round(ctx, yield)
		if !goOn {
			return
		}
		wait := interval
		if failed {
			pause = max(interval, min(2*pause, watchSlowest))
			wait = pause
		} else {
			pause = interval
		}
		if !sleep(ctx, jittered(wait)) {
			return
		}
	}
}

// round reads every value once, up to the first failure.
func (p *poller) round(ctx context.Context, yield func(Change, error) bool) (failed, goOn bool) {
	begin := p.begin
	for n := range p.values {
		at := (begin + n) % len(p.values)
		v := &p.values[at]
		body, err := p.client.Get(ctx, v.path)
		if ctx.Err() != nil {
			return false, false
		}
		if err != nil && !errors.Is(err, ErrAbsent) {
			p.begin = at + 1
			return true, yield(Change{Path: v.path}, err) && !errors.Is(err, ErrInvalid)
		}
		if event := v.update(body, err == nil); event != "" && !yield(Change{v.path, event, body}, nil) {
			return false, false
		}
	}
	return false, true
}

// update takes over what was read, and returns what happened, or "".
func (v *watched) update(value string, present bool) Event {
	before := *v
	v.seen, v.present, v.value = true, present, value
	switch {
	case !before.seen && present:
		return Present
	case !before.seen:
		return Absent
	case !before.present && present:
		return Appeared
	case before.present && !present:
		return Disappeared
	case before.value != value:
		return Changed
	}
	return ""
}

// jittered keeps the instances that were started together from asking together.
func jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5) }
