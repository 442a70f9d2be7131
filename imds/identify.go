package imds

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Service is who answers at an endpoint.
type Service struct {
	EC2      bool     // speaks as EC2's own does in all that was looked at
	Server   string   // what it calls itself in the Server header, "" if nothing
	Versions []string // of the tree, as it lists them: 1.0, the dates, latest
	Evidence []string // what was seen, for people
}

// Identify finds out who answers at the endpoint: EC2's own service, or one
// that takes its place, such as a portal that wants a login, a proxy or an
// emulator. The latter can be read all the same if it speaks as it should, and
// a good one can't be told from EC2.
//
// An answer that is not of IMDS at all is no failure, but a Service that is
// not EC2. Failures are those of [Client.Get].
func (c *Client) Identify(ctx context.Context) (Service, error) {
	var s Service
	if goOn, err := s.lookAtRoot(c.get(ctx, "/")); !goOn || err != nil {
		return s, err
	}
	named := s.look(s.Server == ec2Server, "it calls itself %q", s.Server)
	listed := s.look(listsVersions(s.Versions), "GET / lists %s", enumerate(s.Versions))
	doc, err := c.IdentityDocument(ctx)
	switch e, isOurs := errors.AsType[*Error](err); {
	case err == nil:
		s.look(true, "the identity document is of %s in %s", doc.InstanceID, doc.Region)
	case isOurs && (isStranger(e.Kind) || e.Kind == ErrAbsent || e.Kind == ErrMalformed):
		s.look(false, "%v", e)
	default:
		return Service{}, err
	}
	s.EC2 = named && listed && err == nil
	return s, nil
}

// lookAtRoot takes in what the root of the tree answers, and reports whether it
// is worth looking on.
func (s *Service) lookAtRoot(a *answer, err error) (goOn bool, _ error) {
	e, isOurs := errors.AsType[*Error](err)
	switch {
	case err == nil:
		s.Server, s.Versions = a.server(), strings.Fields(a.body)
		return true, nil
	case isOurs && e.Kind == ErrAbsent:
		s.Server = e.Server
		return true, nil
	case isOurs && isStranger(e.Kind):
		s.Server = e.Server
		s.look(false, "%v", e)
		return false, nil
	}
	return false, err
}

// isStranger reports whether a failure shows that somebody else answers.
func isStranger(kind error) bool { return kind == ErrForeign || kind == ErrRedirect }

// look adds what was seen, and whether it is as with EC2.
func (s *Service) look(same bool, format string, args ...any) bool {
	seen := fmt.Sprintf(format, args...)
	if !same {
		seen = "unlike EC2: " + seen
	}
	s.Evidence = append(s.Evidence, seen)
	return same
}

// listsVersions reports whether names are the versions of the tree: the dates,
// 1.0 and latest, nothing else.
func listsVersions(names []string) bool {
	return len(names) > 1 && slices.Contains(names, "latest") && !slices.ContainsFunc(names, func(n string) bool { return !isVersion(n) })
}

// enumerate tells a list by its length and its ends.
func enumerate(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%d names, from %.40q to %.40q", len(names), names[0], names[len(names)-1])
}
