package bedrock_test

import (
	"sync/atomic"
	"testing"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/bedrock"
)

// What stands before a model is taken away by the form or by an agreement, and
// only after it has settled.
func TestAccess(t *testing.T) {
	t.Parallel()
	const (
		ask    = `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`
		form   = `{"formData":"eyJjb21wYW55TmFtZSI6IngifQ=="}`
		agree  = `{"modelId":"` + haiku + `","offerToken":"b2ZmZXIgb2YgYW50aHJvcGljLmNsYXVkZS1oYWlrdS00LTUtMjAyNTEwMDEtdjE6MA=="}`
		status = "/foundation-model-availability/" + haiku
	)
	for _, tt := range []struct {
		name, access, path, body string
		accepted                 int
		before, meanwhile, after string // of the agreement, and of the entitlement in the end
	}{
		{"the form", bedrock.AccessForm, "/use-case-for-model-access", form, 201, "NOT_AVAILABLE", "NOT_AVAILABLE", "AVAILABLE"},
		{"an agreement", bedrock.AccessSubscription, "/create-foundation-model-agreement", agree, 202, "NOT_AVAILABLE", "PENDING", "AVAILABLE"},
		{"an agreement that changes nothing", bedrock.AccessDenied, "/create-foundation-model-agreement", agree, 202, "AVAILABLE", "AVAILABLE", "NOT_AVAILABLE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var minutes atomic.Int64
			began := time.Now()
			w := newWorld(t, allowAll, func(o *awsfake.Options) {
				o.Now = func() time.Time { return began.Add(time.Duration(minutes.Load()) * time.Minute) }
				o.Bedrock.Settle = 2 * time.Minute
				o.Bedrock.Models = bedrock.DefaultModels()
				for i, m := range o.Bedrock.Models {
					if m.ID == haiku {
						o.Bedrock.Models[i].Access = tt.access
					}
				}
			})
			w.call(t, "GET", status, "").want(t, 200, `"agreementAvailability":{"status":"`+tt.before+`"`)
			w.call(t, "POST", "/model/jp."+haiku+"/converse", ask).refused(t)
			w.call(t, "POST", tt.path, tt.body).want(t, tt.accepted, "")
			minutes.Store(1)
			w.call(t, "GET", status, "").want(t, 200, `"agreementAvailability":{"status":"`+tt.meanwhile+`"`)
			w.call(t, "POST", "/model/jp."+haiku+"/converse", ask).refused(t)
			minutes.Store(3)
			w.call(t, "GET", status, "").want(t, 200, `"entitlementAvailability":"`+tt.after+`"`)
			if a := w.call(t, "POST", "/model/jp."+haiku+"/converse", ask); (a.status == 200) != (tt.after == "AVAILABLE") {
				t.Errorf("in the end: %d %s", a.status, a.body)
			}
		})
	}
}

// refused wants Bedrock to refuse the model.
func (a answer) refused(t *testing.T) {
	t.Helper()
	if a.status < 400 || a.status >= 500 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}
