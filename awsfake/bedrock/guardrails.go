package bedrock

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tegata/awsfake/wire"
)

// Guardrails as the account keeps them
// (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateGuardrail.html).

// draft is the version that is worked on.
const draft = "DRAFT"

// A Guardrail is one of the account's.
type Guardrail struct {
	ID       string
	Versions map[string]*GuardrailVersion // DRAFT, 1, 2, …
	Last     int                          // the newest number
	Token    string                       // of the request that made it, "" for none
	Tags     map[string]string
	Made     time.Time
}

// A GuardrailVersion is what a guardrail does in one version.
type GuardrailVersion struct {
	Name, Description           string
	BlockedInput, BlockedOutput string         // are said instead
	Policies                    map[string]any // by the names that GetGuardrail has for them
	Key                         string         // of KMS, "" for AWS's own
	Updated                     time.Time
}

// A deniedWord is one word or phrase of a word policy.
type deniedWord struct {
	Text          string `json:"text"`
	InputAction   string `json:"inputAction"`
	OutputAction  string `json:"outputAction"`
	InputEnabled  *bool  `json:"inputEnabled"`
	OutputEnabled *bool  `json:"outputEnabled"`
}

// words are those of the word policy.
func (v GuardrailVersion) words() []deniedWord {
	var policy struct {
		Words []deniedWord `json:"words"`
	}
	json.Unmarshal(wire.Marshal(v.Policies["wordPolicy"]), &policy) // its form was checked when it came
	return policy.Words
}

func guardrailARN(c *wire.Call, id string) string { return c.ARN("bedrock", "guardrail/"+id) }

func (s *Service) guardrailOperations() []wire.Operation {
	const accepted = 202
	return []wire.Operation{
		wire.Op("CreateGuardrail", s.createGuardrail).At("POST", "/guardrails").Answering(accepted),
		wire.Op("ListGuardrails", s.listGuardrails).At("GET", "/guardrails"),
		wire.Op("GetGuardrail", s.getGuardrail).At("GET", "/guardrails/{}"),
		wire.Op("UpdateGuardrail", s.updateGuardrail).At("PUT", "/guardrails/{}").Answering(accepted),
		wire.Op("CreateGuardrailVersion", s.createGuardrailVersion).At("POST", "/guardrails/{}").Answering(accepted),
		wire.Op("DeleteGuardrail", s.deleteGuardrail).At("DELETE", "/guardrails/{}").Answering(accepted),
	}
}

type guardrailInput struct {
	Name          *string `json:"name"`
	Description   string  `json:"description"`
	BlockedInput  *string `json:"blockedInputMessaging"`
	BlockedOutput *string `json:"blockedOutputsMessaging"`
	Key           string  `json:"kmsKeyId"`
	Token         string  `json:"clientRequestToken"`
	Tags          []tag   `json:"tags"`
	Word          *struct {
		Words []deniedWord `json:"wordsConfig"`
	} `json:"wordPolicyConfig"`
}

type guardrailAnswer struct {
	ID      string `json:"guardrailId"`
	ARN     string `json:"guardrailArn,omitempty"`
	Version string `json:"version"`
	Created string `json:"createdAt,omitempty"`
	Updated string `json:"updatedAt,omitempty"`
}

func (in guardrailInput) check(c *wire.Call) error {
	var v wire.Checks
	for _, m := range []struct {
		name  string
		value *string
		most  int
	}{{"name", in.Name, 50}, {"blockedInputMessaging", in.BlockedInput, 500}, {"blockedOutputsMessaging", in.BlockedOutput, 500}} {
		v.Required(m.name, m.value != nil)
		if m.value != nil {
			v.Length(m.name, *m.value, 1, m.most)
		}
	}
	if in.Name != nil {
		v.Pattern("name", *in.Name, `[0-9a-zA-Z-_]+`)
	}
	v.Length("description", in.Description, 0, 200)
	if in.Word != nil {
		for i, w := range in.Word.Words {
			v.Length("wordPolicyConfig.wordsConfig."+strconv.Itoa(i+1)+".member.text", w.Text, 1, 100)
		}
	}
	return v.Err(c)
}

// version is what a request describes. It has had its form checked.
func (in guardrailInput) version(c *wire.Call) (*GuardrailVersion, error) {
	v := &GuardrailVersion{
		Name: *in.Name, Description: in.Description, BlockedInput: *in.BlockedInput, BlockedOutput: *in.BlockedOutput,
		Policies: map[string]any{}, Key: in.Key, Updated: c.Now(),
	}
	var members map[string]any
	if err := json.Unmarshal(c.Body, &members); err != nil {
		return nil, wire.Refuse("SerializationException", "")
	}
	for name, policy := range members {
		if kept, ok := strings.CutSuffix(name, "PolicyConfig"); ok && policy != nil {
			v.Policies[kept+"Policy"] = withoutConfig(policy)
		}
	}
	if len(v.Policies) == 0 {
		return nil, invalid("A guardrail must have at least one policy. Add a policy and try again.")
	}
	return v, nil
}

// withoutConfig renames the members of a policy as answers have them: what is
// put as topicsConfig is got as topics.
func withoutConfig(policy any) any {
	members, ok := policy.(map[string]any)
	if !ok {
		return policy
	}
	renamed := map[string]any{}
	for name, value := range members {
		renamed[strings.TrimSuffix(name, "Config")] = value
	}
	return renamed
}

func (s *Service) createGuardrail(c *wire.Call, in guardrailInput) (guardrailAnswer, error) {
	if err := in.check(c); err != nil {
		return guardrailAnswer{}, err
	}
	if err := c.Authorize("bedrock:CreateGuardrail", guardrailARN(c, "*"), requestTags(in.Tags)); err != nil {
		return guardrailAnswer{}, err
	}
	version, err := in.version(c)
	if err != nil {
		return guardrailAnswer{}, err
	}
	for _, g := range s.region(c).Guardrails {
		if in.Token != "" && g.Token == in.Token {
			return guardrailAnswer{ID: g.ID, ARN: guardrailARN(c, g.ID), Version: draft, Created: isoTime(g.Made)}, nil
		}
		if v := g.Versions[draft]; v.Name == *in.Name {
			return guardrailAnswer{}, wire.Conflict("ConflictException", "Another guardrail in your account already has this name. Update the name and try again.")
		}
	}
	g := &Guardrail{
		ID: randomID(), Versions: map[string]*GuardrailVersion{draft: version}, Token: in.Token, Tags: tagMap(in.Tags), Made: c.Now(),
	}
	s.ownRegion(c).Guardrails[g.ID] = g
	return guardrailAnswer{ID: g.ID, ARN: guardrailARN(c, g.ID), Version: draft, Created: isoTime(g.Made)}, nil
}

// ownGuardrail finds the call's guardrail, after it is known that the caller
// may do this with it.
func (s *Service) ownGuardrail(c *wire.Call, action string) (*Guardrail, error) {
	id := strings.TrimPrefix(c.Identifier(), guardrailARN(c, ""))
	if err := c.Authorize(action, guardrailARN(c, id), nil); err != nil {
		return nil, err
	}
	g, ok := s.region(c).Guardrails[id]
	if !ok {
		return nil, notFound(noSuchGuardrail)
	}
	return g, nil
}

const (
	noSuchGuardrail = "The guardrail ID or ARN in your request isn't valid or it doesn't exist. Update the guardrail ID or ARN and try again."
	noSuchVersion   = "The guardrail version in your request isn't valid or it doesn't exist. Update the guardrail version and try again."
)

func (s *Service) getGuardrail(c *wire.Call, _ wire.Empty) (map[string]any, error) {
	g, err := s.ownGuardrail(c, "bedrock:GetGuardrail")
	if err != nil {
		return nil, err
	}
	name := cmp.Or(c.Request.URL.Query().Get("guardrailVersion"), draft)
	v, ok := g.Versions[name]
	if !ok {
		return nil, notFound(noSuchVersion)
	}
	answer := g.summary(c, name)
	answer["guardrailId"], answer["guardrailArn"] = g.ID, guardrailARN(c, g.ID)
	delete(answer, "id")
	delete(answer, "arn")
	answer["blockedInputMessaging"], answer["blockedOutputsMessaging"] = v.BlockedInput, v.BlockedOutput
	if v.Key != "" {
		answer["kmsKeyArn"] = v.Key
	}
	maps.Copy(answer, v.Policies)
	return answer, nil
}

// summary tells what all answers about a version tell.
func (g *Guardrail) summary(c *wire.Call, version string) map[string]any {
	v := g.Versions[version]
	summary := map[string]any{
		"id": g.ID, "arn": guardrailARN(c, g.ID), "name": v.Name, "version": version, "status": "READY",
		"createdAt": isoTime(g.Made), "updatedAt": isoTime(v.Updated),
	}
	if v.Description != "" {
		summary["description"] = v.Description
	}
	return summary
}

type guardrailList struct {
	Guardrails []map[string]any `json:"guardrails"`
	Next       string           `json:"nextToken,omitempty"`
}

// listGuardrails tells the drafts of all, or all versions of one.
func (s *Service) listGuardrails(c *wire.Call, _ wire.Empty) (guardrailList, error) {
	q := c.Request.URL.Query()
	if err := c.Authorize("bedrock:ListGuardrails", "*", nil); err != nil {
		return guardrailList{}, err
	}
	all := []map[string]any{}
	if id := strings.TrimPrefix(q.Get("guardrailIdentifier"), guardrailARN(c, "")); id != "" {
		g, ok := s.region(c).Guardrails[id]
		if !ok {
			return guardrailList{}, notFound(noSuchGuardrail)
		}
		for _, version := range slices.SortedFunc(maps.Keys(g.Versions), byNumber) {
			all = append(all, g.summary(c, version))
		}
	} else {
		for _, g := range slices.SortedFunc(maps.Values(s.region(c).Guardrails), func(a, b *Guardrail) int {
			return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID))
		}) {
			all = append(all, g.summary(c, draft))
		}
	}
	page, next, err := paginate(all, q.Get("maxResults"), q.Get("nextToken"))
	return guardrailList{page, next}, err
}

// byNumber has the draft first.
func byNumber(a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return x - y
}

func (s *Service) updateGuardrail(c *wire.Call, in guardrailInput) (guardrailAnswer, error) {
	if err := in.check(c); err != nil {
		return guardrailAnswer{}, err
	}
	g, err := s.ownGuardrail(c, "bedrock:UpdateGuardrail")
	if err != nil {
		return guardrailAnswer{}, err
	}
	v, err := in.version(c)
	if err != nil {
		return guardrailAnswer{}, err
	}
	g.Versions[draft] = v
	return guardrailAnswer{ID: g.ID, ARN: guardrailARN(c, g.ID), Version: draft, Updated: isoTime(v.Updated)}, nil
}

// createGuardrailVersion keeps the draft as it is now under the next number.
func (s *Service) createGuardrailVersion(c *wire.Call, in struct {
	Description string `json:"description"`
}) (guardrailAnswer, error) {
	g, err := s.ownGuardrail(c, "bedrock:CreateGuardrailVersion")
	if err != nil {
		return guardrailAnswer{}, err
	}
	v := *g.Versions[draft]
	v.Policies, v.Updated = maps.Clone(v.Policies), c.Now()
	v.Description = cmp.Or(in.Description, v.Description)
	g.Last++
	number := strconv.Itoa(g.Last)
	g.Versions[number] = &v
	return guardrailAnswer{ID: g.ID, Version: number}, nil
}

// deleteGuardrail deletes one version, or without one the whole.
func (s *Service) deleteGuardrail(c *wire.Call, _ wire.Empty) (wire.Empty, error) {
	g, err := s.ownGuardrail(c, "bedrock:DeleteGuardrail")
	if err != nil {
		return wire.Empty{}, err
	}
	version := c.Request.URL.Query().Get("guardrailVersion")
	if version == "" {
		delete(s.region(c).Guardrails, g.ID)
		return wire.Empty{}, nil
	}
	if _, ok := g.Versions[version]; !ok || version == draft {
		return wire.Empty{}, notFound(noSuchVersion)
	}
	delete(g.Versions, version)
	return wire.Empty{}, nil
}

type applyInput struct {
	Source  string `json:"source"`
	Content []struct {
		Text *struct {
			Text string `json:"text"`
		} `json:"text"`
	} `json:"content"`
}

type applyAnswer struct {
	Usage       map[string]int      `json:"usage"`
	Action      string              `json:"action"`
	Reason      string              `json:"actionReason"`
	Outputs     []map[string]string `json:"outputs"`
	Assessments []map[string]any    `json:"assessments"`
	Coverage    map[string]any      `json:"guardrailCoverage"`
}

// applyGuardrail asks a guardrail about texts, without any model.
func (s *Service) applyGuardrail(c *wire.Call, in applyInput) (applyAnswer, error) {
	var v wire.Checks
	v.Enum("source", in.Source, "INPUT", "OUTPUT")
	v.Required("content", in.Content != nil)
	if err := v.Err(c); err != nil {
		return applyAnswer{}, err
	}
	g, err := s.guard(c, c.Labels[0], c.Labels[1])
	if err != nil {
		return applyAnswer{}, err
	}
	var texts []string
	characters := 0
	for _, content := range in.Content {
		if content.Text != nil {
			texts = append(texts, content.Text.Text)
			characters += utf8.RuneCountInString(content.Text.Text)
		}
	}
	found, blocked := g.check(texts, in.Source == "INPUT")
	a := applyAnswer{
		Action: "NONE", Reason: "No action.", Outputs: []map[string]string{}, Assessments: []map[string]any{assessment(found)},
		Usage:    guardUnits(characters),
		Coverage: map[string]any{"textCharacters": map[string]int{"guarded": characters, "total": characters}},
	}
	if blocked {
		said := g.rail.BlockedOutput
		if in.Source == "INPUT" {
			said = g.rail.BlockedInput
		}
		a.Action, a.Reason, a.Outputs = "GUARDRAIL_INTERVENED", "Guardrail blocked.", []map[string]string{{"text": said}}
	}
	return a, nil
}

// guardUnits counts as AWS bills: a unit is a thousand characters, and words
// are free but counted.
func guardUnits(characters int) map[string]int {
	const unit = 1000
	return map[string]int{
		"topicPolicyUnits": 0, "contentPolicyUnits": 0, "wordPolicyUnits": (characters + unit - 1) / unit,
		"sensitiveInformationPolicyUnits": 0, "sensitiveInformationPolicyFreeUnits": 0, "contextualGroundingPolicyUnits": 0,
	}
}
