package ec2

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"tegata/awsfake/wire"
)

// try is part of the input of operations that can be tried without effect.
type try struct{ DryRun bool }

// allow asks the caller's policies, and ends a dry run that they allow
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html).
func (t try) allow(c *wire.Call, action, resource string, context map[string]string) error {
	if err := authorize(c, action, resource, context); err != nil || !t.DryRun {
		return err
	}
	return &wire.Error{Status: http.StatusPreconditionFailed, Code: "DryRunOperation", Message: "Request would have succeeded, but DryRun flag is set."}
}

// authorize adds the condition key that all actions of EC2 have.
func authorize(c *wire.Call, action, resource string, context map[string]string) error {
	if context == nil {
		context = map[string]string{}
	}
	context["ec2:Region"] = c.Region
	return c.Authorize("ec2:"+action, resource, context)
}

func instanceARN(c *wire.Call, id string) string { return c.ARN("ec2", "instance/"+id) }

// imageARN has no account: images may belong to anybody.
func imageARN(c *wire.Call, id string) string {
	return "arn:" + c.Partition() + ":ec2:" + c.Region + "::image/" + id
}

func missing(parameter string) error {
	return wire.Refuse("MissingParameter", "The request must contain the parameter "+parameter)
}

func invalidValue(message string) error { return wire.Refuse("InvalidParameterValue", message) }

// oneOf refuses a setting that is given and none of two.
func oneOf(parameter string, value *string, allowed ...string) error {
	if value == nil {
		return nil
	}
	for _, a := range allowed {
		if *value == a {
			return nil
		}
	}
	last := len(allowed) - 1
	return invalidValue("A value of '" + *value + "' is not valid for " + parameter + ". Specify either '" +
		strings.Join(allowed[:last], "', '") + "' or '" + allowed[last] + "' and try again.")
}

// digitsOfID stand behind the prefix that tells the kind of a resource.
var digitsOfID = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9a-f]{8}|[0-9a-f]{17})$`) })

// checkID refuses what can be no id: kind is the noun in the error's code.
func checkID(kind, prefix, id string) error {
	digits, ok := strings.CutPrefix(id, prefix)
	switch {
	case !ok:
		return wire.Refuse(kind+".Malformed", `Invalid id: "`+id+`" (expecting "`+prefix+`...")`)
	case !digitsOfID().MatchString(digits):
		return wire.Refuse(kind+".Malformed", `Invalid id: "`+id+`"`)
	}
	return nil
}

// A listing is the part of an input that selects and divides what is told.
type listing struct {
	Filters    []filter `query:"Filter"`
	MaxResults *int
	NextToken  string
}

// mostValues is how many values the filters of one call may have.
const mostValues = 200

type filter struct {
	Name   string
	Values []string `query:"Value"`
}

// matches reports whether one value of the filter fits one of the resource.
// Values are case-sensitive, and * and ? stand for any characters unless a
// backslash stands before them
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html).
func (f filter) matches(have []string) bool {
	for _, pattern := range f.Values {
		for _, value := range have {
			if like(pattern, value) {
				return true
			}
		}
	}
	return false
}

// like goes back to the last * alone, so that no pattern takes long.
func like(pattern, value string) bool {
	p, v := []rune(pattern), []rune(value)
	at, star, tried := 0, -1, 0 // the place in p, of its last *, and what that stood for last
	for n := 0; n < len(v); {
		next, fits := step(p, at, v[n])
		switch {
		case at < len(p) && p[at] == '*':
			star, tried, at = at, n, at+1
		case fits:
			at, n = next, n+1
		case star >= 0:
			tried++
			at, n = star+1, tried
		default:
			return false
		}
	}
	for at < len(p) && p[at] == '*' {
		at++
	}
	return at == len(p)
}

// step compares one character with what stands in a pattern, and gives the
// place after that.
func step(p []rune, at int, r rune) (next int, fits bool) {
	switch {
	case at >= len(p):
		return at, false
	case p[at] == '\\' && at+1 < len(p):
		return at + 2, p[at+1] == r
	case p[at] == '?':
		return at + 1, true
	}
	return at + 1, p[at] == r
}

// filtered keeps what passes all filters. values gives those of a resource
// that a filter is compared with; not ok means there is no such filter.
func filtered[T any](filters []filter, all []T, values func(of T, filter string) (have []string, ok bool)) ([]T, error) {
	if err := checkFilters(filters, values); err != nil {
		return nil, err
	}
	var kept []T
	for _, one := range all {
		if passes(filters, func(name string) []string { have, _ := values(one, name); return have }) {
			kept = append(kept, one)
		}
	}
	return kept, nil
}

func checkFilters[T any](filters []filter, values func(T, string) ([]string, bool)) error {
	count := 0
	for _, f := range filters {
		var none T
		if _, ok := values(none, f.Name); !ok {
			return invalidValue("The filter '" + f.Name + "' is invalid")
		}
		count += len(f.Values)
	}
	if count > mostValues {
		return wire.Refuse("FilterLimitExceeded", "The maximum number of filter values specified on a single call is "+strconv.Itoa(mostValues))
	}
	return nil
}

func passes(filters []filter, values func(name string) []string) bool {
	for _, f := range filters {
		if !f.matches(values(f.Name)) {
			return false
		}
	}
	return true
}

// The sizes of a page.
const (
	smallestPage = 5
	largestPage  = 1000
)

// page cuts out what the listing asks for. Without MaxResults that is all.
func page[T any](in listing, all []T) ([]T, string, error) {
	size := len(all)
	if in.MaxResults != nil {
		size = *in.MaxResults
		if size < smallestPage {
			return nil, "", invalidValue("Value ( " + strconv.Itoa(size) + " ) for parameter maxResults is invalid. Expecting a value greater than 5.")
		}
		if size > largestPage {
			return nil, "", invalidValue("Value ( " + strconv.Itoa(size) + " ) for parameter maxResults is invalid. Expecting a value smaller than or equal to 1000.")
		}
	}
	part, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return nil, "", wire.Refuse("InvalidNextToken", "The token '"+in.NextToken+"' is invalid")
	}
	return part, next, nil
}

// one is a list of what is there.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
