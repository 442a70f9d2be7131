package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"tegata/sandbox"
)

// boxInit is the command that runs as the init of a box. People never type
// it; what it is to do comes from the process outside.
const boxInit = "box-init"

// A boxSpec is what the init of a box is to do.
type boxSpec struct {
	Scene   scene
	Options sandbox.Options
	Place   string   // directory of the [place]
	Command []string // empty for the demo
	Record  bool     // tell the policy that the command needs, in the file of the outside if there is one
	Demo    demoOptions
}

// runInBox runs this executable as the init of a new box and passes its exit
// status on.
func (s *session) runInBox(ctx context.Context, spec boxSpec, env []string, files ...*os.File) error {
	box := sandbox.Box{
		Args:    []string{"tegata", "--lang=" + string(s.lang), boxInit},
		Spec:    spec,
		Env:     env,
		Files:   files,
		Stdin:   s.Stdin,
		Stdout:  s.Stdout,
		Stderr:  s.Stderr,
		Signals: s.Signals,
	}
	status, err := box.Run(ctx)
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	return done(status)
}

// runBoxInit starts the instance in the box and then the command or the demo.
func runBoxInit(ctx context.Context, s *session) error {
	var spec boxSpec
	in, err := sandbox.Enter(&spec)
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	scenario, err := spec.Scene.scenario()
	if err != nil {
		return err
	}
	listeners, err := listenInBox(in)
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	if len(spec.Command) == 0 {
		scenario = spec.Demo.paced(scenario)
	}
	if spec.Options.Model != "" {
		spec.Options.ModelClient = relayed(spec.Place)
	}
	instance, err := scenario.StartWith(listeners, spec.Options)
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	defer s.closeInstance(instance)
	if err := s.leadByNames(in, instance, spec.Place); err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	if len(spec.Command) == 0 {
		return s.demoInBox(ctx, in, spec.Demo, instance)
	}
	if spec.Record {
		instance.Record()
	}
	status, err := in.Run(spec.Command, s.Env, s.Signals)
	if err != nil {
		return statusError{status, err}
	}
	if spec.Record {
		if err := s.tellPolicy(instance.Recorded(), in.Files); err != nil {
			return err
		}
	}
	return done(status)
}

// closeInstance tells what went wrong in an instance before its end, or with
// keeping its account.
func (s *session) closeInstance(instance *sandbox.Sandbox) {
	if err := instance.Close(); err != nil {
		s.warn("meanwhile this went wrong in the sandbox: %v", err)
	}
}

func listenInBox(in *sandbox.Inside) (l sandbox.Listeners, err error) {
	if l.IMDS, err = in.ListenIMDS(); err != nil {
		return l, err
	}
	if l.AWS, err = net.Listen("tcp", boxAWS); err != nil {
		return l, err
	}
	err = in.ListenNames(&l)
	return l, err
}

// leadByNames leads clients that go to AWS's own host names to the instance.
// The box is worth having without that, so it stays where the system refuses.
func (s *session) leadByNames(in *sandbox.Inside, instance *sandbox.Sandbox, dir string) error {
	if err := os.WriteFile(caFile(dir), instance.CA(), 0o644); err != nil {
		return fmt.Errorf("hand the certificate of the sandbox to the command: %w", err)
	}
	if err := in.ResolveNames(dir); err != nil {
		s.warn("the names of AWS's hosts lead nowhere here, AWS_ENDPOINT_URL alone does: %v", err)
	}
	return nil
}

// caFile is what makes clients trust AWS's host names in a box.
func caFile(dir string) string { return filepath.Join(dir, "ca.pem") }
