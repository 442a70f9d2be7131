package doctor

import (
	"strings"

	"tegata/internal/report"
)

// shortest is how long a secret is at least. Nothing shorter opens anything,
// and to take it out would spoil other words.
const shortest = 8

// A redactor takes out of texts what nobody may read in a report. No check
// writes secrets down, but an answer may repeat what it was sent: AWS does, to
// a signature that does not match, and so do some proxies.
type redactor struct{ *strings.Replacer }

func (h *Host) redactor(known Facts) redactor {
	var pairs []string
	for _, s := range h.secrets(known) {
		if len(s) >= shortest {
			pairs = append(pairs, s, "***")
		}
	}
	return redactor{strings.NewReplacer(pairs...)}
}

func (r redactor) facts(steps []report.Step) {
	for _, s := range steps {
		for i := range s.Facts {
			s.Facts[i].Value = r.Replace(s.Facts[i].Value)
		}
	}
}

// secrets are those that this run has sent, or that clients here would send.
func (h *Host) secrets(known Facts) []string {
	all := []string{known.Token}
	if c := known.Credentials; c != nil {
		all = append(all, string(c.SecretAccessKey), string(c.Token))
	}
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"} {
		all = append(all, h.getenv(name))
	}
	return all
}
