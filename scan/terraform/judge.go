package terraform

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// The names of the settings. Their values are EC2's.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html
const (
	tokensSetting = "http_tokens"
	hopsSetting   = "http_put_response_hop_limit"
	required      = "required"
)

// containerHops is how far an answer has to go to a container: one router more.
const containerHops = 2

// judge adds to a unit what is to be said of its settings.
func (s *settings) judge() {
	switch {
	case s.off:
		return
	case s.tokens == nil:
		s.judgeMissing()
	default:
		s.judgeTokens()
	}
	s.judgeHops()
}

// judgeMissing tells of a setting that the unit leaves open.
func (s *settings) judgeMissing() {
	if s.missing == "" {
		return
	}
	f := scan.Finding{ID: "TG1201", Confidence: s.missing, At: s.unit.At, Evidence: s.evidence("", "")}
	lines := []line{{tokensSetting, strconv.Quote(required)}}
	if s.unit.Containers && s.hops == nil {
		lines = append(lines, line{hopsSetting, strconv.Itoa(containerHops)})
	}
	switch {
	case s.unseen:
		f.Confidence, f.Why = scan.Possible, decidedElsewhere
	case s.missing == scan.Possible && s.block.Type == "module":
		f.Why = "newer versions of the module require tokens"
	case s.options != span{}:
		f.Fix = s.insert(s.options, lines)
	default:
		f.Fix = s.newBlock(lines)
	}
	s.unit.Settings = append(s.unit.Settings, f)
}

// decidedElsewhere is why nothing is changed where a name stands.
const decidedElsewhere = "a value that is not in the file decides"

// judgeTokens tells of a setting that does not demand tokens. Where the default
// of a variable decides, that is its place.
func (s *settings) judgeTokens() {
	e := s.origin(s.tokens)
	value, known := s.file.value(e, 0)
	switch {
	case known && value == required:
		place := at(e.Range())
		s.unit.Required = &place
	case known && value != "" && !strings.Contains(value, scan.Unknown):
		f := scan.Finding{ID: "TG1202", Confidence: scan.Sure, At: at(e.Range()), Evidence: s.evidence(tokensSetting, value)}
		if _, literal := e.(*hclsyntax.TemplateExpr); literal && s.file.isQuoted(e) {
			f.Fix = []scan.Splice{{At: at(e.Range()), Text: strconv.Quote(required)}}
		} else {
			f.Why = decidedElsewhere
		}
		s.unit.Settings = append(s.unit.Settings, f)
	default:
		s.unit.Settings = append(s.unit.Settings, scan.Finding{
			ID: "TG1202", Confidence: scan.Possible, At: at(s.tokens.Range()), Evidence: s.evidence("", ""), Why: decidedElsewhere,
		})
	}
}

// origin follows names to the expression that decides.
func (s *settings) origin(e hclsyntax.Expression) hclsyntax.Expression {
	for range maxSteps {
		named, ok := e.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			break
		}
		next := s.file.follow(named)
		if next == nil {
			break
		}
		e = next
	}
	return e
}

// judgeHops tells of a hop limit that containers are beyond, or that lets more
// than containers in.
func (s *settings) judgeHops() {
	if s.hops == nil {
		if s.unit.Containers && s.tokens != nil && s.options != (span{}) && !s.unseen && s.missing != "" {
			s.unit.Settings = append(s.unit.Settings, scan.Finding{
				ID: "TG1203", Confidence: scan.Likely, At: s.head(), Evidence: s.evidence(hopsSetting, "1, by default"),
				Fix: s.insert(s.options, []line{{hopsSetting, strconv.Itoa(containerHops)}}),
			})
		}
		return
	}
	e := s.origin(s.hops)
	value, _ := s.file.value(e, 0)
	hops, err := strconv.Atoi(value)
	if err != nil || hops == containerHops || hops == 1 && !s.unit.Containers {
		return
	}
	f := scan.Finding{ID: "TG1203", Confidence: scan.Sure, At: at(e.Range()), Evidence: s.evidence(hopsSetting, value)}
	if _, ok := e.(*hclsyntax.LiteralValueExpr); ok {
		f.Fix = []scan.Splice{{At: at(e.Range()), Text: strconv.Itoa(containerHops)}}
	} else {
		f.Why = decidedElsewhere
	}
	s.unit.Settings = append(s.unit.Settings, f)
}

func (s *settings) evidence(name, value string) []scan.Field {
	all := []scan.Field{{Name: "unit", Value: s.unit.Name}}
	if name != "" {
		all = append(all, scan.Field{Name: "setting", Value: name + " = " + value})
	}
	if s.unit.Containers {
		all = append(all, scan.Field{Name: "containers", Value: "yes"})
	}
	return all
}

// head is where the options begin: their name, without what is in them.
func (s *settings) head() span {
	word := strings.IndexAny(s.file.text.Body[s.options.Start:], "{\r\n")
	return span{Start: s.options.Start, End: s.options.Start + max(1, len(strings.TrimRight(s.file.text.Body[s.options.Start:s.options.Start+word], " \t")))}
}
