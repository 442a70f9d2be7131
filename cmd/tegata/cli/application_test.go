package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/chat"
	"tegata/gateway"
	"tegata/internal/report"
	"tegata/web"
)

// TestCutAnswersAreTold: an answer that outlasts the drain has time to say so,
// before its connection closes.
func TestCutAnswersAreTold(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		io.WriteString(w, "shutting down")
	})
	a := &application{gateway: &gateway.Server{}, chat: &chat.Engine{}, site: &web.Site{}, learn: func(context.Context) {}}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.serve(ctx, newServer(handler), l, nil) }()
	res, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stop()
	if b, err := io.ReadAll(res.Body); string(b) != "shutting down" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

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
