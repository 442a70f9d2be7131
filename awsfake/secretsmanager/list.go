package secretsmanager

import (
	"cmp"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// maxPage is the largest page of lists.
const maxPage = 100

type pageIn struct {
	MaxResults *int
	NextToken  string
}

func (in pageIn) size(c *wire.Call) (int, error) {
	if in.MaxResults == nil {
		return maxPage, nil
	}
	var v wire.Checks
	v.Range("maxResults", *in.MaxResults, 1, maxPage)
	return *in.MaxResults, v.Err(c)
}

func pageOf[T any](all []T, size int, token string) ([]T, string, error) {
	page, next, err := wire.Page(all, size, token)
	if err != nil {
		return nil, "", wire.Refuse("InvalidNextTokenException", "Invalid NextToken.")
	}
	return page, next, nil
}

// A filter narrows a list; one of its values must fit, and one with a ! before
// it must not
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html).
type filter struct {
	Key    string
	Values []string
}

type listIn struct {
	IncludePlannedDeletion bool
	Filters                []filter
	SortOrder              string
	SortBy                 string
	pageIn
}

type listOut struct {
	NextToken  string `json:",omitempty"`
	SecretList []described
}

func (s *Service) listSecrets(c *wire.Call, in listIn) (listOut, error) {
	size, err := in.check(c)
	if err != nil {
		return listOut{}, err
	}
	if err := c.Authorize("secretsmanager:ListSecrets", "*", nil); err != nil {
		return listOut{}, err
	}
	var found []*Secret
	for _, secret := range s.region(c) {
		hidden := !secret.Deletion.IsZero() && !in.IncludePlannedDeletion
		if !hidden && !slices.ContainsFunc(in.Filters, func(f filter) bool { return !f.matches(secret) }) {
			found = append(found, secret)
		}
	}
	in.sort(found)
	page, next, err := pageOf(found, size, in.NextToken)
	out := listOut{NextToken: next, SecretList: []described{}}
	for _, secret := range page {
		d := secret.described()
		d.SecretVersionsToStages = secret.stages()
		out.SecretList = append(out.SecretList, d)
	}
	return out, err
}

func (in listIn) check(c *wire.Call) (size int, err error) {
	var v wire.Checks
	for _, f := range in.Filters {
		v.Enum("filters.key", f.Key, "description", "name", "tag-key", "tag-value", "primary-region", "owning-service", "all")
	}
	v.Enum("sortOrder", cmp.Or(in.SortOrder, "asc"), "asc", "desc")
	v.Enum("sortBy", cmp.Or(in.SortBy, "name"), "created-date", "last-accessed-date", "last-changed-date", "name")
	if err := v.Err(c); err != nil {
		return 0, err
	}
	for _, f := range in.Filters {
		if len(f.Values) == 0 {
			return 0, wire.Refuse("InvalidParameterException", "Invalid filter values for key: "+f.Key)
		}
	}
	return in.size(c)
}

// sort orders by creation unless something else is asked for, and by name
// where that is the same.
func (in listIn) sort(all []*Secret) {
	slices.SortFunc(all, func(a, b *Secret) int {
		order := a.Created.Compare(b.Created)
		switch in.SortBy {
		case "last-accessed-date":
			order = a.Accessed.Compare(b.Accessed)
		case "last-changed-date":
			order = a.Changed.Compare(b.Changed)
		case "name":
			order = 0
		}
		order = cmp.Or(order, strings.Compare(a.Name, b.Name))
		if in.SortOrder == "desc" {
			return -order
		}
		return order
	})
}

func (f filter) matches(s *Secret) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		bare, negated := strings.CutPrefix(value, "!")
		return f.fits(s, bare) != negated
	})
}

// fits compares the beginning: of names and tags as they are, of descriptions
// and of everything at once in small letters and word by word.
func (f filter) fits(s *Secret, value string) bool {
	begins := func(text string) bool { return strings.HasPrefix(text, value) }
	switch f.Key {
	case "name":
		return begins(s.Name)
	case "tag-key":
		return slices.ContainsFunc(s.tags(), func(t wire.Tag) bool { return begins(t.Key) })
	case "tag-value":
		return slices.ContainsFunc(s.tags(), func(t wire.Tag) bool { return begins(t.Value) })
	case "description":
		return wordsBegin(s.Description, value)
	case "all":
		texts := []string{s.Name, s.Description}
		for _, t := range s.tags() {
			texts = append(texts, t.Key, t.Value)
		}
		return slices.ContainsFunc(texts, func(text string) bool { return wordsBegin(text, value) })
	}
	return false // secrets here have no replicas and no owning service
}

// wordsBegin tells whether each word of value begins a word of text.
func wordsBegin(text, value string) bool {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" /_+=.@-", r) })
	for _, want := range strings.Fields(strings.ToLower(value)) {
		if !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, want) }) {
			return false
		}
	}
	return true
}
