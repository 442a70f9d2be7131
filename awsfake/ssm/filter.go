package ssm

import (
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// A filter narrows a list of parameters
// (https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html).
type filter struct {
	Key    string
	Option string
	Values []string
}

// Keys of filters, by operation.
const (
	ofPath     = "Type, KeyId, Label"
	ofDescribe = "Path, Name, Type, KeyId, Tier, DataType"
)

func (f filter) isTag() bool { return strings.HasPrefix(f.Key, "tag:") && f.Key != "tag:" }

// known notes keys that are of no operation.
func known(v *wire.Checks, filters []filter) {
	for i, f := range filters {
		v.Pattern("parameterFilters."+strconv.Itoa(i+1)+".member.key", f.Key, "tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType")
	}
}

// option is how values are compared.
func (f filter) option() string {
	switch {
	case f.Option != "":
		return f.Option
	case f.Key == "Path":
		return "OneLevel"
	}
	return "Equals"
}

func (f filter) options() []string {
	switch f.Key {
	case "Path":
		return []string{"Recursive", "OneLevel"}
	case "Name":
		return []string{"BeginsWith", "Equals", "Contains"}
	case "Label", "Tier", "DataType":
		return []string{"Equals"}
	}
	return []string{"BeginsWith", "Equals"}
}

func checkFilters(filters []filter, valid string) error {
	seen := map[string]bool{}
	for _, f := range filters {
		takes := slices.Contains(strings.Split(valid, ", "), f.Key) || f.isTag() && valid == ofDescribe
		switch {
		case !takes:
			return wire.Refuse("InvalidFilterKey", "The following filter key is not valid: "+f.Key+". Valid filter keys include: ["+valid+"].")
		case len(f.Values) == 0 && !f.isTag():
			return wire.Refuse("InvalidFilterValue", "The following filter values are missing : null for filter key "+f.Key+".")
		case seen[f.Key]:
			return wire.Refuse("InvalidFilterKey", "The following filter is duplicated in the request: "+f.Key+". A request can contain only one occurrence of a specific filter.")
		case !slices.Contains(f.options(), f.option()):
			return wire.Refuse("InvalidFilterOption", "The following filter option is not valid: "+f.option()+". Valid options include: ["+strings.Join(f.options(), ", ")+"].")
		}
		seen[f.Key] = true
		if err := f.checkValues(); err != nil {
			return err
		}
	}
	return nil
}

func (f filter) checkValues() error {
	known := map[string][]string{
		"Type": {typeString, typeStringList, typeSecure},
		"Tier": {tierStandard, tierAdvanced, tierEither},
	}[f.Key]
	for _, value := range f.Values {
		if known != nil && !slices.Contains(known, value) {
			return wire.Refuse("InvalidFilterValue", "The following filter value is not valid: "+value+". Valid values include: ["+strings.Join(known, ", ")+"].")
		}
		if f.Key == "Path" && (!strings.HasPrefix(value, "/") || len(value) > 1 && !wellFormed(strings.TrimSuffix(value, "/"))) {
			return wire.Refuse("InvalidFilterValue", "The following filter value is not valid: "+value+".")
		}
	}
	return nil
}

// matches compares one text; one of the values must fit.
func (f filter) matches(text string) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		switch f.option() {
		case "BeginsWith":
			return strings.HasPrefix(text, value)
		case "Contains":
			return strings.Contains(text, value)
		case "OneLevel", "Recursive":
			return below(strings.TrimSuffix(value, "/"), text, f.option() == "Recursive")
		}
		return text == value
	})
}

// matchAll asks all filters about a version. Labels are for who picks one.
func matchAll(p *Parameter, v *Version, filters []filter) bool {
	return !slices.ContainsFunc(filters, func(f filter) bool {
		switch f.Key {
		case "Name", "Path":
			return !f.matches(p.Name)
		case "Type":
			return !f.matches(v.Type)
		case "KeyId":
			return !f.matches(v.KeyID)
		case "Tier":
			return !f.matches(v.Tier)
		case "DataType":
			return !f.matches(v.DataType)
		case "Label":
			return false
		}
		value, ok := p.Tags[strings.TrimPrefix(f.Key, "tag:")]
		return !ok || len(f.Values) > 0 && !f.matches(value)
	})
}
