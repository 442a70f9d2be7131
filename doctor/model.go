package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
			Title: title("API key of Bedrock in the environment", "環境変数の Bedrock API キー"),
		},
		{
			Name: "model-list", Requires: []string{"identity"}, Unknown: "TG6900", Run: checkList,
			Title: title("models and inference profiles of the region", "リージョンのモデルと推論プロファイル"),
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
	}
}

// checkBearer finds the key that AWS SDKs prefer to the role.
func checkBearer(_ context.Context, h *Host, known Facts) Outcome {
	const name = "AWS_BEARER_TOKEN_BEDROCK"
	if h.getenv(name) == "" || known.Role == "" {
		return pass(fact("bedrock_key", "not used"))
	}
	return warn(found("TG6016", map[string]string{"variable": name, "origin": h.originOf(name)}))
}

const (
	noBedrock = "no way to ask Bedrock is configured"
	noModel   = "no model is configured; set BEDROCK_MODEL_ID or give --model"
)

// checkList reads the catalogue of the region, which costs nothing. A role
// need not be allowed to, in order to call a model.
func checkList(ctx context.Context, h *Host, known Facts) Outcome {
	if known.Bedrock == nil {
		return skip(noBedrock)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	models, err := known.Bedrock.Models(ctx)
	switch {
	case isDenied(err):
		return pass(fact("models", "the role may not list them"))
	case err != nil:
		return h.bedrockFailed("Bedrock ListFoundationModels", err, time.Since(began), known)
	}
	return pass(fact("models", strconv.Itoa(len(models)))).learning(func(f *Facts) { f.Models = models })
}

func isDenied(err error) bool {
	var c coded
	return errors.As(err, &c) && strings.HasPrefix(c.ErrorCode(), "AccessDenied")
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
	evidence := map[string]string{}
	if known.Models != nil && end.Ended(h.now()) {
		evidence["end_of_life"] = end.EndOfLifeTime.Format(time.DateOnly)
		evidence["successor"] = successor(known.Models, h.Model, h.now())
		return fail(found("TG6014", evidence)).learning(blocking("model"))
	}
	if listed && !viaProfile && !m.OnDemand() && len(m.Profiles) > 0 {
		evidence["profile"] = nearest(m.Profiles)
		return fail(found("TG6002", evidence)).learning(blocking("model"))
	}
	facts := []report.Field{fact("model", h.Model), fact("listed", yesNo(listed))}
	if m.Lifecycle.Status != "" {
		facts = append(facts, fact("lifecycle", m.Lifecycle.Status))
	}
	if !m.Lifecycle.EndOfLifeTime.IsZero() {
		facts = append(facts, fact("end_of_life", m.Lifecycle.EndOfLifeTime.Format(time.DateOnly)))
	}
	return pass(facts...)
}

func blocking(check string) func(*Facts) { return func(f *Facts) { f.ModelBlock = check } }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

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

// nearest picks the profile that keeps the data closest: one country before
// one continent before the whole world.
func nearest(profiles []string) string {
	width := func(id string) int {
		switch area, _, _ := strings.Cut(id, "."); area {
		case "global":
			return 2
		case "apac", "amer":
			return 1
		}
		return 0
	}
	if len(profiles) == 0 {
		return ""
	}
	return slices.MinFunc(profiles, func(a, b string) int { return cmp.Compare(width(a), width(b)) })
}

// successor returns the id by which to call a living model of the same
// family here: the one whose name has most words in common, the newest of
// those. "" when the region offers none.
func successor(models []bedrock.Model, id string, now time.Time) string {
	old := words(baseModel(id))
	best, most := "", 0
	for _, m := range models {
		call := m.ID
		if !m.OnDemand() {
			call = nearest(m.Profiles)
		}
		if call == "" || m.Lifecycle.Status == "LEGACY" || m.Lifecycle.Ended(now) || provider(m.ID) != provider(baseModel(id)) {
			continue
		}
		shared := 0
		for _, w := range words(m.ID) {
			if slices.Contains(old, w) {
				shared++
			}
		}
		if shared > most || shared == most && call > best {
			best, most = call, shared
		}
	}
	return best
}

// words are the parts of a model's name that are no version.
func words(id string) []string {
	parts := strings.FieldsFunc(id, func(r rune) bool { return r == '.' || r == '-' })
	return slices.DeleteFunc(parts, func(p string) bool { return strings.Trim(p, "0123456789v:") == "" })
}

func provider(id string) string {
	name, _, _ := strings.Cut(id, ".")
	return name
}

// checkAccess asks, without a paid call, whether the account may use the
// model. Only a plain no is a finding: an agreement that is missing is made
// by the first call.
func checkAccess(ctx context.Context, h *Host, known Facts) Outcome {
	switch {
	case known.Bedrock == nil:
		return skip(noBedrock)
	case h.Model == "":
		return skip(noModel)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	a, err := known.Bedrock.Availability(ctx, baseModel(h.Model))
	var c coded
	switch {
	case errors.As(err, &c) && c.ErrorCode() != "" && !isServerFault(err):
		return pass(fact("access", "can't be read, the answer decides"), fact("code", c.ErrorCode()))
	case err != nil:
		return h.bedrockFailed("Bedrock GetFoundationModelAvailability", err, time.Since(began), known)
	}
	evidence := map[string]string{
		"authorization": a.Authorization, "agreement": a.Agreement.Status, "entitlement": a.Entitlement,
	}
	if a.Authorization == "NOT_AUTHORIZED" {
		return fail(found("TG6001", evidence)).learning(blocking("model-access"))
	}
	return pass(fact("access", a.Authorization), fact("agreement", a.Agreement.Status), fact("entitlement", a.Entitlement))
}

func isServerFault(err error) bool {
	var a answered
	return errors.As(err, &a) && a.HTTPStatusCode() >= 500
}

// areas are the first parts of the ids of AWS's own profiles.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
var areas = []string{"us", "us-gov", "eu", "jp", "au", "ca", "apac", "amer", "global"}

// baseModel returns the id of the model behind that of a profile.
func baseModel(id string) string {
	id = id[strings.LastIndexByte(id, '/')+1:]
	if area, rest, _ := strings.Cut(id, "."); slices.Contains(areas, area) {
		return rest
	}
	return id
}

// checkAnswer asks the model for one token.
func checkAnswer(ctx context.Context, h *Host, known Facts) Outcome {
	switch {
	case known.Bedrock == nil:
		return skip(noBedrock)
	case h.Model == "":
		return skip(noModel)
	case known.ModelBlock != "":
		return blocked(known.ModelBlock)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	a, err := known.Bedrock.Converse(ctx, bedrock.Request{
		Model: h.Model, MaxTokens: 1, Messages: []bedrock.Message{{Role: bedrock.User, Text: "ping"}},
	})
	if err != nil {
		return h.bedrockFailed("Bedrock Converse", err, time.Since(began), known)
	}
	return pass(
		fact("tokens", fmt.Sprintf("%d + %d", a.Usage.Input, a.Usage.Output)),
		fact("stop_reason", a.StopReason), fact("request_id", a.RequestID),
	)
}

// bedrockFailed names the finding for an error of Bedrock, and adds what only
// the catalogue of this region can tell: the id to use instead.
func (h *Host) bedrockFailed(request string, err error, took time.Duration, known Facts) Outcome {
	id, evidence, ok := bedrock.Explain(err)
	if !ok {
		id, evidence = "TG6900", map[string]string{"message": err.Error()}
	}
	if id == "TG6900" {
		evidence["outcome"] = outcomeOf(err)
	}
	evidence["request"], evidence["waited"] = request, ms(took)
	s := h.source()
	evidence["origin"], evidence["key_id"] = s.origin, maskKey(s.keyID)
	m, _, _ := lookUp(known.Models, h.Model)
	switch id {
	case "TG3010":
		evidence = merge(h.clockEvidence(known), evidence)
	case "TG4002":
		evidence["value"], evidence["origin"], evidence["suggested"] = known.Region, known.RegionOrigin, known.IMDSRegion
	case "TG6002":
		evidence["profile"] = nearest(m.Profiles)
	case "TG6014":
		evidence["successor"] = successor(known.Models, h.Model, h.now())
		if end, ok := bedrock.Retired(h.Model); ok {
			evidence["end_of_life"] = end.EndOfLifeTime.Format(time.DateOnly)
		}
	}
	return fail(found(id, evidence))
}

// outcomeOf says in a few fixed words how a call ended that no rule knows.
func outcomeOf(err error) string {
	var c coded
	var a answered
	switch {
	case errors.As(err, &c) && c.ErrorCode() != "":
		return c.ErrorCode()
	case errors.As(err, &a) && a.HTTPStatusCode() != 0:
		return "status " + strconv.Itoa(a.HTTPStatusCode())
	case isTimeout(err):
		return "no answer"
	}
	return "the connection failed"
}
