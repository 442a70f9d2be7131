package cli

import (
	"context"
	"runtime"
	"runtime/debug"
)

// Set by the release target of the Makefile.
var (
	version = "dev"
	commit  = ""
)

func runVersion(_ context.Context, s *session) error {
	if err := s.noArgs(s.flags()); err != nil {
		return err
	}
	return line(s.Stdout, "tegata %s (commit %s, %s, %s/%s)", version, buildCommit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func buildCommit() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, dirty := "unknown", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision":
			revision = setting.Value[:min(12, len(setting.Value))]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			dirty = "-dirty"
		}
	}
	return revision + dirty
}
