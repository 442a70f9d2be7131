package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"tegata/cmd/tegata/awsconf"
	"tegata/imds"
	"tegata/sandbox"
)

// What a person reads about an error: one line that says what happened, then
// lines with the next thing to type. Nothing else in this package writes to
// stderr about errors, and nothing else decides on the exit status.

var errHelpWanted = errors.New("help is wanted")

// usageError is wrong usage: exit status 2.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// statusError carries an exit status for which everything has been said
// already, or is said by err.
type statusError struct {
	status int
	err    error
}

func (e statusError) Error() string { return fmt.Sprint(e.err) }
func (e statusError) Unwrap() error { return e.err }

// hinted is an error with the next thing to type, an English phrase of the
// catalogue with its arguments.
type hinted struct {
	error
	phrase string
	args   []any
}

func (e hinted) Unwrap() error { return e.error }

func hintf(err error, phrase string, args ...any) error { return hinted{err, phrase, args} }

func unknownCommand(name string) error {
	var names []string
	for _, c := range commands() {
		if !c.hidden {
			names = append(names, c.name)
		}
	}
	return hintf(usagef("unknown command %q", name), "commands are %s; see tegata help", strings.Join(names, ", "))
}

// report prints an error with its hints and returns the exit status for it.
func (s *session) report(err error) int {
	if err == nil {
		return exitOK
	}
	if err == errHelpWanted {
		return s.report(s.printHelp(s.Stdout, s.command.name))
	}
	var done statusError
	if errors.As(err, &done) && done.err == nil {
		return done.status
	}
	var sig interrupted
	if errors.As(err, &sig) {
		return sig.status()
	}
	fmt.Fprintf(s.Stderr, "tegata: error: %v\n", err)
	if hint := s.hint(err); hint != "" {
		fmt.Fprintf(s.Stderr, "tegata: %s %s\n", s.lang.T("hint:"), hint)
	}
	var usage usageError
	switch {
	case errors.As(err, &done):
		return done.status
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

// hint returns what to type next after err, or "".
func (s *session) hint(err error) string {
	var with hinted
	var usage usageError
	if errors.As(err, &with) {
		return s.lang.T(with.phrase, with.args...)
	}
	if errors.As(err, &usage) {
		if s.command.name == "" {
			return s.lang.T("see tegata help")
		}
		return s.lang.T("see tegata help %s", s.command.name)
	}
	for _, known := range hints {
		if errors.Is(err, known.err) {
			return s.lang.T(known.phrase)
		}
	}
	var metadata *imds.Error
	switch {
	case errors.As(err, &metadata) && metadata.Kind == imds.ErrInvalid && metadata.Method == "PUT": // a path is not at fault yet
		return s.lang.T("set AWS_EC2_METADATA_SERVICE_ENDPOINT, or ec2_metadata_service_endpoint of the profile, to http://HOST:PORT, or not at all")
	case metadata != nil && metadata.Kind == imds.ErrInvalid:
		return s.lang.T("see tegata help %s", "get")
	case metadata != nil:
		return s.lang.T("run tegata doctor")
	}
	return ""
}

// hints are the next things to type after errors of the packages below,
// the particular before the general.
var hints = []struct {
	err    error
	phrase string
}{
	{sandbox.ErrNoNamespaces, "add --isolate=never to run without a box: then only environment variables keep the command from the real AWS"},
	{awsconf.ErrIMDSDisabled, "take AWS_EC2_METADATA_DISABLED out of the environment"},
	{imds.ErrAbsent, "names and paths that exist here: tegata get meta-data/"},
	{imds.ErrNotDetected, "no instance metadata here; try it in a box: tegata sandbox -- tegata get instance-id"},
	{imds.ErrHopLimit, "run tegata doctor: the token's reply does not arrive because of the hop limit"},
	{imds.ErrTokenLost, "run tegata doctor: something in between cuts off the token's reply"},
	{imds.ErrDisabled, "run tegata doctor: instance metadata is switched off for this instance"},
	{imds.ErrForbidden, "run tegata doctor: most likely a proxy in between adds X-Forwarded-For"},
	{imds.ErrNoV2, "the endpoint knows no tokens; to read without one: --fallback when-absent"},
	{imds.ErrThrottled, "too many requests to the metadata service; wait a moment, and keep the token and the values"},
	{imds.ErrCredentials, "run tegata doctor: a role is attached, but EC2 can't assume it"},
	{imds.ErrForeign, "run tegata doctor: something else answers in place of the metadata service"},
	{imds.ErrRedirect, "run tegata doctor: something else answers in place of the metadata service"},
}

// done returns the error for a status about which everything has been said.
func done(status int) error {
	if status == exitOK {
		return nil
	}
	return statusError{status: status}
}

// cause returns the reason for which ctx ended, if that is why err came up.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// warn tells something that is not an error.
func (s *session) warn(phrase string, args ...any) {
	fmt.Fprintf(s.Stderr, "tegata: %s\n", s.lang.T(phrase, args...))
}

func line(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format+"\n", args...)
	return err
}
