package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/report"
)

func TestAsService(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name               string
		token, id, model   report.Status
		wantToken, wantAll report.Status // of the metadata; of what follows it, unchanged
	}{
		{"healthy", report.Passed, report.Passed, report.Passed, report.Passed, report.Passed},
		{"keys from elsewhere", report.Failed, report.Passed, report.Passed, report.Warned, report.Passed},
		{"metadata is needed", report.Failed, report.NotRun, report.NotRun, report.Failed, report.NotRun},
		{"a model is missing", report.Passed, report.Passed, report.Failed, report.Passed, report.Failed},
	} {
		r := asService(report.Report{Steps: []report.Step{
			{Name: "imds-token", Status: test.token}, {Name: "identity", Status: test.id}, {Name: "model", Status: test.model},
		}})
		got := []report.Status{r.Steps[0].Status, r.Steps[2].Status}
		if diff := cmp.Diff([]report.Status{test.wantToken, test.wantAll}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
