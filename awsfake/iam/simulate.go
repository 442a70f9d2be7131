package iam

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

func (s *Service) simulationOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("SimulatePrincipalPolicy", s.simulatePrincipalPolicy),
		wire.Op("SimulateCustomPolicy", s.simulateCustomPolicy),
		wire.Op("GetContextKeysForPrincipalPolicy", s.getContextKeysForPrincipalPolicy),
		wire.Op("GetContextKeysForCustomPolicy", s.getContextKeysForCustomPolicy),
	}
}

// simulation is what both operations take.
type simulation struct {
	PolicyInputList                    []string
	PermissionsBoundaryPolicyInputList []string
	ActionNames                        []string
	ResourceARNs                       []string `query:"ResourceArns"`
	ResourcePolicy                     *string
	CallerARN                          *string `query:"CallerArn"`
	ContextEntries                     []contextEntry
	paging
}

type contextEntry struct {
	ContextKeyName   string
	ContextKeyValues []string
	ContextKeyType   string
}

type principalSimulation struct {
	PolicySourceARN string `query:"PolicySourceArn"`
	simulation
}

// A source is a document of a simulation, with what answers say of it.
type source struct {
	id, kind string
	text     string
	document policy.Document
}

// What answers call the sources.
const (
	ofIdentity = "IAM Policy"
	ofResource = "Resource Policy"
)

// A bench is what a simulation decides with.
type bench struct {
	identity []source
	resource []source // one, or nil for none
	boundary []source // one, or nil for no bound
	scps     [][]source
	context  map[string]string
	sets     map[string][]string // context keys of several values
	caller   string
}

type evaluationAnswer struct {
	EvaluationResults list[evaluation]
	more
}

type evaluation struct {
	EvalActionName                    string
	EvalResourceName                  string
	EvalDecision                      string
	MatchedStatements                 list[statement]
	MissingContextValues              list[string]
	OrganizationsDecisionDetail       *byOrganizations `xml:",omitempty"`
	PermissionsBoundaryDecisionDetail *byBoundary      `xml:",omitempty"`
	ResourceSpecificResults           list[resourceResult]
}

type resourceResult struct {
	EvalResourceName                  string
	EvalResourceDecision              string
	MatchedStatements                 list[statement]
	MissingContextValues              list[string]
	PermissionsBoundaryDecisionDetail *byBoundary `xml:",omitempty"`
}

type byOrganizations struct{ AllowedByOrganizations bool }

type byBoundary struct{ AllowedByPermissionsBoundary bool }

type statement struct {
	SourcePolicyID             string `xml:"SourcePolicyId"`
	SourcePolicyType           string
	StartPosition, EndPosition position
}

// simulatePrincipalPolicy decides as if the user or role had asked
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html).
func (s *Service) simulatePrincipalPolicy(c *wire.Call, in principalSimulation) (evaluationAnswer, error) {
	var v checks
	v.arn("policySourceArn", in.PolicySourceARN)
	in.simulation.check(&v)
	if err := v.err(c); err != nil {
		return evaluationAnswer{}, err
	}
	if err := c.Authorize("iam:SimulatePrincipalPolicy", in.PolicySourceARN, nil); err != nil {
		return evaluationAnswer{}, err
	}
	e, err := s.principal(in.PolicySourceARN)
	if err != nil {
		return evaluationAnswer{}, err
	}
	b, err := in.bench(c, cmp.Or(valueOr(in.CallerARN, ""), e.ARN))
	if err != nil {
		return evaluationAnswer{}, err
	}
	b.identity = append(s.State.sources(e), b.identity...)
	b.add(e)
	if b.boundary == nil && e.Boundary != "" {
		document, _ := s.State.Document(e.Boundary)
		b.boundary = []source{newSource(nameOf(e.Boundary), ofIdentity, document)}
	}
	for _, level := range s.State.SCPs {
		sources := []source{}
		for _, scp := range level {
			sources = append(sources, newSource(scp.Name, "SCP", scp.Document))
		}
		b.scps = append(b.scps, sources)
	}
	return in.run(b)
}

// simulateCustomPolicy decides by the documents of the call alone.
func (s *Service) simulateCustomPolicy(c *wire.Call, in simulation) (evaluationAnswer, error) {
	var v checks
	v.Required("policyInputList", in.PolicyInputList != nil)
	in.check(&v)
	if err := v.err(c); err != nil {
		return evaluationAnswer{}, err
	}
	if err := c.Authorize("iam:SimulateCustomPolicy", "*", nil); err != nil {
		return evaluationAnswer{}, err
	}
	b, err := in.bench(c, valueOr(in.CallerARN, ""))
	if err != nil {
		return evaluationAnswer{}, err
	}
	return in.run(b)
}

func (in simulation) check(v *checks) {
	in.paging.check(&v.Checks)
	v.Required("actionNames", in.ActionNames != nil)
	for _, a := range in.ActionNames {
		v.Length("actionNames", a, 3, 128)
		if !strings.Contains(a, ":") || strings.ContainsAny(a, "*?") {
			v.own = wire.Refuse("InvalidInput", "Invalid Input Action name "+a)
		}
	}
	if len(in.PermissionsBoundaryPolicyInputList) > 1 {
		v.own = wire.Refuse("InvalidInput", "Only one permissions boundary policy can be provided.")
	}
}

// bench reads the documents and keys of the call.
func (in simulation) bench(c *wire.Call, caller string) (*bench, error) {
	b := &bench{caller: caller, sets: map[string][]string{}, context: map[string]string{
		"aws:CurrentTime": c.Now().Format(time.RFC3339), "aws:EpochTime": fmt.Sprint(c.Now().Unix()),
	}}
	for _, e := range in.ContextEntries {
		switch len(e.ContextKeyValues) {
		case 0:
		case 1:
			b.context[e.ContextKeyName] = e.ContextKeyValues[0]
		default:
			b.sets[e.ContextKeyName] = e.ContextKeyValues
		}
	}
	var err error
	if b.identity, err = inputs("PolicyInputList", in.PolicyInputList); err != nil {
		return nil, err
	}
	if b.boundary, err = inputs("PermissionsBoundaryPolicyInputList", in.PermissionsBoundaryPolicyInputList); err != nil {
		return nil, err
	}
	if in.ResourcePolicy == nil {
		return b, nil
	}
	if caller == "" {
		return nil, wire.Refuse("InvalidInput", "CallerArn is required when a ResourcePolicy is provided.")
	}
	document, problem := parse(*in.ResourcePolicy)
	b.resource = []source{{id: "ResourcePolicy", kind: ofResource, text: *in.ResourcePolicy, document: document}}
	return b, invalid(problem)
}

// add tells the keys that the principal of a simulation brings along, if the
// call doesn't tell them.
func (b *bench) add(e entity) {
	keys := principalTags(e.Tags)
	keys["aws:PrincipalArn"], keys["aws:userid"] = e.ARN, e.ID
	keys["aws:PrincipalType"] = "AssumedRole"
	if e.kind == userKind {
		keys["aws:username"], keys["aws:PrincipalType"] = e.Identity.Name, "User"
	}
	maps.Copy(keys, b.context)
	b.context = keys
}

// inputs parses documents of the call, which are named after their place.
func inputs(name string, texts []string) ([]source, error) {
	var all []source
	for i, text := range texts {
		if problem := permissionProblem(text); problem != "" {
			return nil, invalid(problem)
		}
		all = append(all, newSource(fmt.Sprintf("%s.%d", name, i+1), ofIdentity, text))
	}
	return all, nil
}

func invalid(problem string) error {
	if problem == "" {
		return nil
	}
	return wire.Refuse("InvalidInput", problem)
}

// newSource takes a document that has been parsed before.
func newSource(id, kind, text string) source {
	document, _ := policy.Parse([]byte(text))
	return source{id, kind, text, document}
}

// sources are the policies of a user or a role.
func (s *State) sources(e entity) []source {
	var all []source
	for _, name := range slices.Sorted(maps.Keys(e.Inline)) {
		all = append(all, newSource(e.noun+"_"+e.Identity.Name+"_"+name, ofIdentity, e.Inline[name]))
	}
	for _, arn := range e.Attached {
		document, _ := s.Document(arn)
		all = append(all, newSource(nameOf(arn), ofIdentity, document))
	}
	return all
}

// principal finds the user or role of an ARN.
func (s *Service) principal(arn string) (entity, error) {
	if u, ok := s.State.Users[nameOf(arn)]; ok && u.ARN == arn {
		return entity{userKind, &u.Identity, &u.Permissions}, nil
	}
	if r, ok := s.State.RoleByARN(arn); ok {
		return entity{roleKind, &r.Identity, &r.Permissions}, nil
	}
	return entity{}, wire.NotFound("NoSuchEntity", "The entity "+arn+" cannot be found.")
}

// run decides over every action on every resource.
func (in simulation) run(b *bench) (evaluationAnswer, error) {
	resources := in.ResourceARNs
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var all []evaluation
	for _, action := range in.ActionNames {
		for _, resource := range resources {
			all = append(all, b.evaluate(action, resource))
		}
	}
	part, more, err := page(in.paging, all)
	return evaluationAnswer{listed(part, same), more}, err
}

// evaluate decides over one request, as answers tell it.
func (b *bench) evaluate(action, resource string) evaluation {
	r := policy.Request{Action: action, Resource: resource, Context: b.context, Sets: b.sets}
	called := r
	called.Principal = b.caller
	decision := b.layers().Decide(called).Decision
	matched := b.matched(r, decision)
	missing := b.missing(action)
	e := evaluation{
		EvalActionName: action, EvalResourceName: resource, EvalDecision: nameOfDecision(decision),
		MatchedStatements: listed(matched, same), MissingContextValues: listed(missing, same),
	}
	if b.boundary != nil {
		e.PermissionsBoundaryDecisionDetail = &byBoundary{decided(b.boundary, r) == policy.Allow}
	}
	if b.scps != nil {
		e.OrganizationsDecisionDetail = &byOrganizations{b.allowedBySCPs(r)}
	}
	if resource != "*" {
		e.ResourceSpecificResults.Members = []resourceResult{{
			resource, e.EvalDecision, e.MatchedStatements, e.MissingContextValues, e.PermissionsBoundaryDecisionDetail,
		}}
		e.MissingContextValues = list[string]{}
	}
	return e
}

func nameOfDecision(d policy.Decision) string {
	switch d {
	case policy.Allow:
		return "allowed"
	case policy.ExplicitDeny:
		return "explicitDeny"
	}
	return "implicitDeny"
}

func decided(sources []source, r policy.Request) policy.Decision {
	var documents []policy.Document
	for _, s := range sources {
		documents = append(documents, s.document)
	}
	return policy.Evaluate(documents, r)
}

// everything lists all documents, with the request that each is asked:
// policies of resources know who calls.
func (b *bench) everything() []source {
	all := slices.Concat(b.identity, b.resource, b.boundary)
	return append(all, slices.Concat(b.scps...)...)
}

// asked is the request as a source sees it.
func (b *bench) asked(s source, r policy.Request) policy.Request {
	if s.kind == ofResource {
		r.Principal = b.caller
	}
	return r
}

func (b *bench) allowedBySCPs(r policy.Request) bool {
	return !slices.ContainsFunc(b.scps, func(level []source) bool { return decided(level, r) != policy.Allow })
}

// layers are the documents as the account's own decisions take them.
func (b *bench) layers() policy.Layers {
	l := policy.Layers{Identity: named(b.identity)}
	if b.resource != nil {
		l.Resource = &named(b.resource)[0]
	}
	if b.boundary != nil {
		l.Boundary = &named(b.boundary)[0]
	}
	for _, level := range b.scps {
		l.SCPs = append(l.SCPs, named(level))
	}
	return l
}

func named(sources []source) []policy.Named {
	all := []policy.Named{}
	for _, s := range sources {
		all = append(all, policy.Named{Name: s.id, Document: s.document})
	}
	return all
}

// matched lists the statements that made the decision. None makes an implicit
// deny.
func (b *bench) matched(r policy.Request, decision policy.Decision) []statement {
	if decision == policy.ImplicitDeny {
		return nil
	}
	var all []statement
	for _, s := range b.everything() {
		spans := statementSpans(s.text)
		for i, one := range s.document.Statements {
			alone := policy.Document{Version: s.document.Version, Statements: []policy.Statement{one}}
			if i < len(spans) && policy.Evaluate([]policy.Document{alone}, b.asked(s, r)) == decision {
				all = append(all, statement{s.id, s.kind, spans[i].start, spans[i].end})
			}
		}
	}
	return all
}

// missing lists the condition keys that statements about the action ask for,
// and that nobody told.
func (b *bench) missing(action string) []string {
	var keys []string
	for _, s := range b.everything() {
		for _, key := range contextKeys(s.document) {
			if !told(b.context, key) && !told(b.sets, key) && concerns(s.document, action, key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func told[V any](context map[string]V, key string) bool {
	for name := range context {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}

// concerns reports whether a statement about the action has the key.
func concerns(d policy.Document, action, key string) bool {
	return slices.ContainsFunc(d.Statements, func(s policy.Statement) bool {
		about := policy.Statement{Effect: "Allow", Actions: s.Actions, NotActions: s.NotActions}
		return slices.Contains(contextKeys(policy.Document{Version: d.Version, Statements: []policy.Statement{s}}), key) &&
			policy.Evaluate([]policy.Document{{Version: d.Version, Statements: []policy.Statement{about}}}, policy.Request{Action: action}) == policy.Allow
	})
}

// contextKeys are the condition keys that a document asks for, in conditions
// and as variables, sorted.
func contextKeys(d policy.Document) []string {
	var keys []string
	for _, s := range d.Statements {
		for _, c := range s.Conditions {
			keys = append(keys, c.Key)
			for _, v := range c.Values {
				keys = append(keys, variables(v)...)
			}
		}
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			keys = append(keys, variables(r)...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// variables are the keys that a text names as ${key}.
func variables(text string) []string {
	var keys []string
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return keys
		}
		name, after, closed := strings.Cut(rest, "}")
		key, _, _ := strings.Cut(name, ",")
		if key = strings.TrimSpace(key); closed && !slices.Contains([]string{"", "*", "?", "$"}, key) {
			keys = append(keys, key)
		}
		text = after
	}
}

type keysOfPolicies struct{ ContextKeyNames list[string] }

type principalKeysInput struct {
	PolicySourceARN string `query:"PolicySourceArn"`
	PolicyInputList []string
}

func (s *Service) getContextKeysForPrincipalPolicy(c *wire.Call, in principalKeysInput) (keysOfPolicies, error) {
	var v checks
	v.arn("policySourceArn", in.PolicySourceARN)
	if err := v.err(c); err != nil {
		return keysOfPolicies{}, err
	}
	if err := c.Authorize("iam:GetContextKeysForPrincipalPolicy", in.PolicySourceARN, nil); err != nil {
		return keysOfPolicies{}, err
	}
	e, err := s.principal(in.PolicySourceARN)
	if err != nil {
		return keysOfPolicies{}, err
	}
	more, err := inputs("PolicyInputList", in.PolicyInputList)
	return keysIn(append(s.State.sources(e), more...)), err
}

func (s *Service) getContextKeysForCustomPolicy(c *wire.Call, in principalKeysInput) (keysOfPolicies, error) {
	var v checks
	v.Required("policyInputList", in.PolicyInputList != nil)
	if err := v.err(c); err != nil {
		return keysOfPolicies{}, err
	}
	if err := c.Authorize("iam:GetContextKeysForCustomPolicy", "*", nil); err != nil {
		return keysOfPolicies{}, err
	}
	all, err := inputs("PolicyInputList", in.PolicyInputList)
	return keysIn(all), err
}

func keysIn(sources []source) keysOfPolicies {
	var keys []string
	for _, s := range sources {
		keys = append(keys, contextKeys(s.document)...)
	}
	slices.Sort(keys)
	return keysOfPolicies{listed(slices.Compact(keys), same)}
}
