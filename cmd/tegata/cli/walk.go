package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tegata/bedrock"
	"tegata/doctor"
)

// errBarred says that the way ended early; where and why has been printed.
var errBarred = statusError{status: exitFailed}

// walk goes the way from metadata to a model's answer with the same parts
// that an application uses, and tells each step.
func (s *session) walk(ctx context.Context) error {
	for _, step := range []struct {
		name string
		take func(context.Context) (string, error)
	}{
		{"metadata", s.readInstance},
		{"region", s.readRegion},
		{"credentials", s.readCredentials},
		{"identity", s.readIdentity},
	} {
		began := time.Now()
		learnt, err := step.take(ctx)
		if err != nil {
			return s.barred(step.name, err)
		}
		line(s.Stdout, "  ✓ %s: %s (%v)", s.lang.T(step.name), learnt, time.Since(began).Round(100*time.Microsecond))
	}
	if err := s.ask(ctx); err != nil {
		return s.barred("model", err)
	}
	return nil
}

func (s *session) barred(step string, err error) error {
	line(s.Stdout, "  ✗ %s: %v", s.lang.T(step), err)
	return errBarred
}

func (s *session) readInstance(ctx context.Context) (string, error) {
	client, err := s.imds(ctx, "")
	if err != nil {
		return "", err
	}
	defer client.Close()
	d, err := client.IdentityDocument(ctx)
	return fmt.Sprintf("%s %s, %s", d.InstanceID, d.InstanceType, client.Used().Version), err
}

func (s *session) readRegion(ctx context.Context) (string, error) {
	c, err := s.config(ctx)
	return fmt.Sprintf("%s, %s", c.Region, s.lang.T(c.RegionOrigin)), err
}

func (s *session) readCredentials(ctx context.Context) (string, error) {
	c, err := s.config(ctx)
	if err != nil {
		return "", err
	}
	keys, err := c.Credentials.Retrieve(ctx)
	return s.lang.T("%s, %s, until %s", keys.AccessKeyID, s.lang.T(c.CredentialsOrigin), keys.Expires.Format(time.RFC3339)), err
}

func (s *session) readIdentity(ctx context.Context) (string, error) {
	c, err := s.config(ctx)
	if err != nil {
		return "", err
	}
	who, err := c.CallerIdentity(ctx)
	return who.ARN, err
}

// ask puts one question to the model and prints the answer as it comes.
func (s *session) ask(ctx context.Context) error {
	c, err := s.config(ctx)
	if err != nil {
		return err
	}
	model := s.Getenv("BEDROCK_MODEL_ID")
	if model == "" {
		return errors.New("no model is set: BEDROCK_MODEL_ID is empty")
	}
	question := s.lang.T("What does an instance need before it may ask you something?")
	began := time.Now()
	var first time.Duration
	var pieces int
	var usage bedrock.Usage
	for event, err := range bedrock.New(bedrockConfig(c)).Stream(ctx, bedrock.Request{
		Model:    model,
		Messages: []bedrock.Message{{Role: bedrock.User, Text: question}},
	}) {
		if err != nil {
			if pieces > 0 {
				line(s.Stdout, "")
			}
			return err
		}
		switch e := event.(type) {
		case bedrock.TextDelta:
			if pieces++; pieces == 1 {
				first = time.Since(began)
				line(s.Stdout, "  ✓ %s: %s\n", s.lang.T("model"), model)
				line(s.Stdout, "  > %s\n", question)
				fmt.Fprint(s.Stdout, "  ")
			}
			fmt.Fprint(s.Stdout, e.Text)
		case bedrock.Metadata:
			usage = e.Usage
		}
	}
	line(s.Stdout, "\n\n  %s", s.lang.T("(%d pieces, the first after %v; %d tokens in, %d out)", pieces, first.Round(100*time.Microsecond), usage.Input, usage.Output))
	return nil
}

// examine has doctor look at the same chain.
func (s *session) examine(ctx context.Context) error {
	host, err := s.host(ctx, s.Getenv("BEDROCK_MODEL_ID"))
	if err != nil {
		return err
	}
	found := doctor.Run(ctx, host, doctor.Checks())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.writeReport(found); err != nil {
		return err
	}
	if !found.Healthy() {
		return done(exitFindings)
	}
	return nil
}
