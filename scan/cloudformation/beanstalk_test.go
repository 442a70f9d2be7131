package cloudformation

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/scan"
)

func TestBeanstalk(t *testing.T) {
	t.Parallel()
	const config = `files:
  "/opt/a.sh":
    mode: "000755"
    content: |
      #!/bin/bash
      one
commands:
  01_a:
    command: two
container_commands:
  01_b:
    command: three
    test: four
option_settings:
  - namespace: a
`
	var got []string
	for _, text := range Detect(scan.File(".ebextensions/a.config", scan.CloudFormation, []byte(config))).Texts {
		got = append(got, string(text.Lang)+": "+text.Body)
	}
	slices.Sort(got)
	want := []string{"bash: #!/bin/bash\none\n", "sh: four", "sh: three", "sh: two"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
