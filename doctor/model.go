package doctor

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/bedrock"
	"tegata/internal/report"
)

func modelChecks() []Check {
	return []Check{
		{
			Name: "bedrock-key", After: []string{"role"}, Unknown: "TG6900", Run: checkBearer,
			Title: title("API key for Bedrock", "Bedrock の API キー"),
		},
		{
			Name: "model-list", Requires: []string{"identity"}, Unknown: "TG6900", Run: checkList,
			Title: title("models of the region", "リージョンのモデル"),
		},
		{
			Name: "model", Requires: []string{"identity"}, After: []string{"model-list"}, Unknown: "TG6900", Run: checkModel,
			Title: title("the application's model", "アプリケーションのモデル"),
		},
		{
			Name: "model-access", Requires: []string{"identity"}, Unknown: "TG6900", Run: checkAccess,
			Title: title("access to the model", "モデルへのアクセス権"),
		},
		{
			Name: "model-answer", Requires: []string{"identity"}, After: []string{"model", "model-access"}, Unknown: "TG6900", Run: checkAnswer,
			Title: title("an answer of the model", "モデルの応答"),
		},
		{
			Name: "model-stream", Requires: []string{"identity"}, After: []string{"model-answer"}, Unknown: "TG6900", Run: checkStream,
			Title: title("a streamed answer of the model", "モデルのストリーミング応答"),
		},
	}
}

// checkBearer finds the key that AWS SDKs prefer to the role.
func checkBearer(_ context.Context, h *Host, known Facts) Outcome {
	const name = "AWS_BEARER_TOKEN_BEDROCK"
	switch {
	case h.getenv(name) == "":
		return pass(told("bedrock_key", "no", "none is set"))
	case known.Role == "":
		return pass(told("bedrock_key", "yes", "set, and there is no role that it could stand before"))
	}
	return warn(found("TG6016", map[string]string{"variable": name, "origin": h.originOf(name)}))
}

const noModel = "no model is configured; set BEDROCK_MODEL_ID or give --model"

const listRequest = "Bedrock ListFoundationModels"

// checkList reads the catalogue of the region, which costs nothing. A role
// need not be allowed to, in order to call a model.
func checkList(ctx context.Context, h *Host, known Facts) Outcome {
	var models []bedrock.Model
	c := call{request: listRequest}
	err := c.do(ctx, func(ctx context.Context) (err error) { models, err = known.Bedrock.Models(ctx); return err })
	switch {
	case strings.HasPrefix(codeOf(err), "AccessDenied"):
		return pass(told("models", "denied", "the role may not list them, nor need it"))
	case strings.HasPrefix(codeOf(err), "Throttling"):
		return pass(told("models", outcomeOf(err), "can't be read (%s), so the answer decides"))
	case err != nil:
		return h.bedrockFailed(&c, err, known)
	}
	callable := 0
	for _, m := range models {
		if m.CallIn(known.Region) != "" {
			callable++
		}
	}
	return pass(told("models", strconv.Itoa(callable), "%s models can be called here")).learning(func(f *Facts) { f.Models = models })
}

// inHindsight corrects a finding by what only later checks could tell: where
// models answer, a list that can't be reached is no network without a way out.
func (f finding) inHindsight(known Facts) finding {
	if f.id == "TG4103" && f.evidence["request"] == listRequest && known.Answered {
		f.id = "TG6013"
	}
	return f
}

// checkModel looks the application's model up in the catalogue.
func checkModel(_ context.Context, h *Host, known Facts) Outcome {
	if h.Model == "" {
		return skip(noModel)
	}
	m, viaProfile, listed := lookUp(known.Models, h.Model)
	end := m.Lifecycle
	if !listed {
		end, _ = bedrock.Retired(h.Model)
	}
	if known.Models != nil && end.Ended(h.now()) {
		return fail(found("TG6014", h.replacement(end, known))).learning(blocking("model"))
	}
	if listed && !viaProfile && !m.OnDemand() && m.CallIn(known.Region) != "" {
		return fail(found("TG6002", map[string]string{"profile": m.CallIn(known.Region)})).learning(blocking("model"))
	}
	facts := []report.Field{told("model", h.Model, "%s"), fact("lifecycle", m.Lifecycle.Status)}
	if known.Models != nil && !listed {
		facts = append(facts, told("listed", "no", "not in the list of the region"))
	}
	if !m.Lifecycle.EndOfLifeTime.IsZero() {
		facts = append(facts, told("end_of_life", m.Lifecycle.EndOfLifeTime.Format(time.DateOnly), "ends on %s"))
	}
	return pass(facts...)
}

func blocking(check string) func(*Facts) { return func(f *Facts) { f.ModelBlock = check } }

// lookUp finds a model by its id, by that of a profile, or by an ARN of
// either.
func lookUp(models []bedrock.Model, id string) (m bedrock.Model, viaProfile, ok bool) {
	id = id[strings.LastIndexByte(id, '/')+1:]
	for _, m := range models {
		if m.ID == id {
			return m, false, true
		}
		if slices.Contains(m.Profiles, id) {
			return m, true, true
		}
	}
	return bedrock.Model{}, false, false
}

// replacement is what to call instead of a model that has ended.
func (h *Host) replacement(end bedrock.Lifecycle, known Facts) map[string]string {
	e := map[string]string{}
	if !end.EndOfLifeTime.IsZero() {
		e["end_of_life"] = end.EndOfLifeTime.Format(time.DateOnly)
	}
	if ids := bedrock.Alternatives(known.Models, h.Model, known.Region); len(ids) > 0 {
		e["successor"] = ids[0]
	}
	return e
}

// checkAccess asks, without a paid call, whether the account may use the
// model. Only a plain no is a finding: an agreement that is missing is made
// by the first call, and no application needs an answer to this question.
func checkAccess(ctx context.Context, h *Host, known Facts) Outcome {
	if h.Model == "" {
		return skip(noModel)
	}
	var a bedrock.Availability
	c := call{request: "Bedrock GetFoundationModelAvailability"}
	err := c.do(ctx, func(ctx context.Context) (err error) {
		a, err = known.Bedrock.Availability(ctx, bedrock.BaseID(h.Model))
		return err
	})
	switch {
	case err != nil:
		return pass(told("access", outcomeOf(err), "can't be read (%s), so the answer decides"))
	case a.Authorization == "NOT_AUTHORIZED":
		return fail(found("TG6001", map[string]string{
			"authorization": a.Authorization, "agreement": a.Agreement.Status, "entitlement": a.Entitlement,
		})).learning(blocking("model-access"))
	}
	facts := []report.Field{fact("access", a.Authorization), fact("entitlement", a.Entitlement)}
	if a.Granted() {
		return pass(append(facts, told("agreement", a.Agreement.Status, "granted"))...)
	}
	return pass(append(facts, told("agreement", a.Agreement.Status, "authorized; state of the agreement: %s"))...)
}

// ping costs one token of an answer.
func (h *Host) ping() bedrock.Request {
	return bedrock.Request{Model: h.Model, MaxTokens: 1, Messages: []bedrock.Message{{Role: bedrock.User, Text: "ping"}}}
}

// checkAnswer asks the model for one token.
func checkAnswer(ctx context.Context, h *Host, known Facts) Outcome {
	switch {
	case h.Model == "":
		return skip(noModel)
	case known.ModelBlock != "":
		return blocked(known.ModelBlock)
	}
	var a bedrock.Answer
	c := call{request: "Bedrock Converse"}
	err := c.do(ctx, func(ctx context.Context) (err error) { a, err = known.Bedrock.Converse(ctx, h.ping()); return err })
	if err != nil {
		return h.bedrockFailed(&c, err, known).learning(blocking("model-answer"))
	}
	if a.StopReason == "" {
		return fail(found("TG6900", c.unread(a.RequestID))).learning(blocking("model-answer"))
	}
	return pass(
		told("input_tokens", strconv.Itoa(a.Usage.Input), "%s tokens in"), told("output_tokens", strconv.Itoa(a.Usage.Output), "%s out"),
		fact("stop_reason", a.StopReason), fact("request_id", a.RequestID),
	).learning(func(f *Facts) { f.Answered = true })
}

// checkStream asks for one more token in the way in which most applications
// ask. It needs a right of its own, and a way that lets an answer through
// piece by piece to its end.
func checkStream(ctx context.Context, h *Host, known Facts) Outcome {
	m, _, listed := lookUp(known.Models, h.Model)
	switch {
	case h.Model == "":
		return skip(noModel)
	case known.ModelBlock != "":
		return blocked(known.ModelBlock)
	case listed && !m.Streaming:
		return skip("the model does not stream")
	}
	pieces := 0
	c := call{request: "Bedrock ConverseStream"}
	err := c.do(ctx, func(ctx context.Context) error {
		for event, err := range known.Bedrock.Stream(ctx, h.ping()) {
			if err != nil {
				return err
			}
			if _, ok := event.(bedrock.TextDelta); ok {
				pieces++
			}
		}
		return nil
	})
	if err != nil {
		return h.bedrockFailed(&c, err, known)
	}
	return pass(told("pieces", strconv.Itoa(pieces), "arrived whole"))
}

// isOfRole reports whether the finding blames credentials that come from the
// instance and were in order a moment ago: metadata said so, and STS.
func isOfRole(id string, s source) bool {
	return s.kind == fromRole && (id == "TG3005" || id == "TG3008" || id == "TG3013")
}

// bedrockFailed names the finding for an error of Bedrock, and adds what only
// the catalogue of this region can tell: the id to use instead.
func (h *Host) bedrockFailed(c *call, err error, known Facts) Outcome {
	evidence := c.evidence(err)
	if c.unreachable(err) {
		return fail(found("TG4103", evidence))
	}
	id, more, ok := bedrock.Explain(err)
	if !ok || isOfRole(id, h.source()) {
		id = "TG6900"
	}
	evidence = merge(evidence, more)
	if words := transportError(err); words != "" {
		evidence["message"] = words
	}
	s := h.source()
	evidence["origin"], evidence["key_id"] = s.origin, maskKey(s.keyID)
	switch id {
	case "TG6900":
		if isExpired(evidence["code"]) && known.Credentials != nil {
			evidence["expiration"] = known.Credentials.Expiration.UTC().Format(time.RFC3339)
		}
	case "TG3010":
		evidence = merge(h.clockEvidence(known), evidence)
	case "TG4002":
		evidence["value"], evidence["origin"], evidence["suggested"] = known.Region, known.RegionOrigin, known.IMDSRegion
	case "TG6002":
		m, _, _ := lookUp(known.Models, h.Model)
		evidence["profile"] = m.CallIn(known.Region)
		if evidence["profile"] == h.Model {
			id = "TG6900" // there is nothing else to call
		}
	case "TG6014":
		end, _ := bedrock.Retired(h.Model)
		evidence = merge(evidence, h.replacement(end, known))
	}
	return fail(found(id, evidence))
}
