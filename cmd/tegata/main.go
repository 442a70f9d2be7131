// Command tegata reads, imitates and explains the way from an EC2 instance's
// identity to a working AWS or Bedrock call.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tegata/cmd/tegata/cli"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	os.Exit(cli.Main(context.Background(), cli.Process{
		Args:    os.Args[1:],
		Env:     os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Signals: signals,
	}))
}
