package bedrock

import (
	"strings"
	"time"
)

// retired dates the models that AWS no longer lists, so that no call can tell
// any more why they do not answer.
var retired = []struct {
	model     string // prefix of the id of the model itself
	lifecycle Lifecycle
	source    string
}{
	{
		model:     "anthropic.claude-3-sonnet-20240229",
		lifecycle: ended("2026-01-30", "2026-04-30", "2026-07-30"),
		source:    "https://github.com/BerriAI/litellm/issues/28704",
	},
	{
		model:     "anthropic.claude-3-7-sonnet-20250219",
		lifecycle: ended("2025-10-28", "2026-01-27", "2026-04-28"),
		source:    "https://github.com/BerriAI/litellm/issues/26721",
	},
	{
		model:     "anthropic.claude-3-5-sonnet-20240620",
		lifecycle: ended("", "2025-12-01", "2026-03-01"),
		source:    "https://github.com/posit-dev/positron/issues/9339",
	},
	{
		model:     "anthropic.claude-3-5-haiku-20241022",
		lifecycle: ended("2025-12-19", "2026-03-19", "2026-06-19"),
		source:    "https://github.com/BerriAI/litellm/issues/28704",
	},
	{
		model:     "anthropic.claude-sonnet-4-20250514",
		lifecycle: ended("2026-04-14", "", "2026-10-14"),
		source:    "https://github.com/awslabs/threat-composer/issues/290",
	},
}

func ended(legacy, extended, end string) Lifecycle {
	return Lifecycle{Status: "LEGACY", LegacyTime: day(legacy), ExtendedAccessTime: day(extended), EndOfLifeTime: day(end)}
}

// day reads a date, and takes what is none for unknown: the zero time. A test
// reads the whole table.
func day(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s)
	return t
}

// Retired returns the dates of a model that AWS no longer lists, by its id,
// the id of a profile, or an ARN of either.
func Retired(id string) (Lifecycle, bool) {
	id = BaseID(id)
	for _, r := range retired {
		if strings.HasPrefix(id, r.model) {
			return r.lifecycle, true
		}
	}
	return Lifecycle{}, false
}
