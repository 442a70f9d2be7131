package bedrock

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"tegata/awsfake/wire"
)

// A dialect is one way to write a question and its answer down.
type dialect interface {
	parse(body []byte) (question, error)
	whole(i *inquiry, r reply) any         // the body of an answer in one piece
	scribe(i *inquiry, out *stream) scribe // writes one that comes in pieces
}

// A scribe writes an answer down as events, while it comes.
type scribe interface {
	begin()
	piece(p piece)
	end(e ending)
}

// An inquiry is a question on its way to a model that may be asked.
type inquiry struct {
	call     *wire.Call
	target   target
	dialect  dialect
	question question
	guard    *guard // nil: no guardrail is asked
	voice    voice
	lease    *lease // of the quota
	began    time.Time
	first    time.Duration // until the answer began
}

// open takes a call through all that comes before an answer: the model is
// known, the caller may ask it, the question has its form, the model can be
// asked in this way, and there is quota left.
func (s *Service) open(c *wire.Call, account sync.Locker, action string, choose func(Model) (dialect, error)) (*inquiry, error) {
	t, err := s.look(c, account)
	if err != nil {
		return nil, err
	}
	i := &inquiry{call: c, target: t, began: c.Now()}
	if i.guard, err = s.findGuard(c, account); err != nil {
		return nil, err
	}
	if err := s.authorizeModel(c, action, t, i.guard); err != nil {
		return nil, err
	}
	if i.dialect, err = choose(t.model); err != nil {
		return nil, err
	}
	if i.question, err = i.dialect.parse(c.Body); err != nil {
		return nil, err
	}
	if err := s.checkModel(c, t); err != nil {
		return nil, err
	}
	i.voice = s.voice(c)
	i.lease, err = s.quotas.reserve(c, s.Options.Quota, t, i.question)
	return i, err
}

// look resolves the model under the account's lock.
func (s *Service) look(c *wire.Call, account sync.Locker) (target, error) {
	account.Lock()
	defer account.Unlock()
	return s.resolve(c)
}

// voice is what answers in this account.
func (s *Service) voice(c *wire.Call) voice {
	if s.upstream != nil {
		return s.upstream
	}
	pace := time.Duration(0)
	if isStream(c) {
		pace = s.Pace
	}
	return standInVoice{c.Model, pace}
}

func isStream(c *wire.Call) bool {
	return c.Operation == "ConverseStream" || c.Operation == "InvokeModelWithResponseStream"
}

// latency is how long the call has taken so far, in milliseconds.
func (i *inquiry) latency() int64 { return time.Since(i.call.Began).Milliseconds() }

// speak lets the model answer, and settles what that has cost.
func (i *inquiry) speak(say func(piece) error) (ending, error) {
	speaker := i.voice
	if i.guard != nil {
		speaker = guardedVoice{i.guard, i.voice}
	}
	e, err := speaker.speak(i.call.Request.Context(), i.question, func(p piece) error {
		if i.first == 0 {
			i.first = time.Since(i.call.Began)
		}
		return say(p)
	})
	i.lease.settle(i.call.Now(), e.usage)
	return e, err
}

// asked makes an operation that answers in one piece.
func (s *Service) asked(action string, choose func(Model) (dialect, error)) func(http.ResponseWriter, *wire.Call, sync.Locker) error {
	return func(w http.ResponseWriter, c *wire.Call, account sync.Locker) error {
		i, err := s.open(c, account, action, choose)
		if err != nil {
			return err
		}
		r, err := collect(i.speak)
		if err != nil {
			return err
		}
		if c.Operation == "InvokeModel" {
			h := w.Header()
			h.Set("X-Amzn-Bedrock-Input-Token-Count", strconv.Itoa(r.usage.input))
			h.Set("X-Amzn-Bedrock-Output-Token-Count", strconv.Itoa(r.usage.output))
			h.Set("X-Amzn-Bedrock-Invocation-Latency", strconv.FormatInt(i.latency(), 10))
		}
		return c.WriteJSON(w, i.dialect.whole(i, r))
	}
}

// streamed makes an operation that answers in pieces. What fails before the
// first of them is an answer of its own.
func (s *Service) streamed(action string, choose func(Model) (dialect, error)) func(http.ResponseWriter, *wire.Call, sync.Locker) error {
	return func(w http.ResponseWriter, c *wire.Call, account sync.Locker) error {
		i, err := s.open(c, account, action, choose)
		if err != nil {
			return err
		}
		out := newStream(w)
		scribe := i.dialect.scribe(i, out)
		begun := false
		begin := func() {
			if begun {
				return
			}
			begun = true
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			if c.Operation == "InvokeModelWithResponseStream" {
				w.Header().Set("X-Amzn-Bedrock-Content-Type", "application/json")
			}
			scribe.begin()
		}
		e, err := i.speak(func(p piece) error {
			begin()
			scribe.piece(p)
			return out.err
		})
		switch {
		case err != nil && !begun:
			return err
		case err != nil:
			out.fail(err)
		default:
			begin()
			scribe.end(e)
		}
		return nil
	}
}
