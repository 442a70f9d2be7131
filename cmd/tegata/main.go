// Command tegata reads, imitates and explains the way from an EC2 instance's
// identity to a working AWS or Bedrock call.
package main

import (
	"context"
	"os"

	"tegata/cmd/tegata/cli"
)

func main() { os.Exit(cli.Main(context.Background(), cli.ThisProcess())) }
