package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// checks collects what is wrong with an input, as CloudWatch words it: a line
// for each fault, under the code of the gravest.
type checks struct{ missing, invalid, combined []string }

func (v *checks) required(parameter string, present bool) {
	if !present {
		v.missing = append(v.missing, "The parameter "+parameter+" is required.")
	}
}

// length wants a text of 1 to most characters.
func (v *checks) length(parameter, value string, most int) {
	v.required(parameter, value != "")
	if utf8.RuneCountInString(value) > most {
		v.invalid = append(v.invalid, fmt.Sprintf("The parameter %s must be shorter than %d characters.", parameter, most+1))
	}
}

func (v *checks) size(collection string, n, most int) {
	if n > most {
		v.invalid = append(v.invalid, fmt.Sprintf("The collection %s must not have a size greater than %d.", collection, most))
	}
}

func (v *checks) oneOf(parameter, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.invalid = append(v.invalid, "The parameter "+parameter+" must be a value in the set [ "+strings.Join(allowed, ", ")+" ].")
	}
}

func (v *checks) wrong(format string, args ...any) {
	v.invalid = append(v.invalid, fmt.Sprintf(format, args...))
}

func (v *checks) clash(format string, args ...any) {
	v.combined = append(v.combined, fmt.Sprintf(format, args...))
}

func (v *checks) err() error {
	switch {
	case len(v.missing) > 0:
		return refuse(missingParameter, strings.Join(v.missing, "\n"))
	case len(v.invalid) > 0:
		return refuse(invalidValue, strings.Join(v.invalid, "\n"))
	case len(v.combined) > 0:
		return refuse(invalidCombination, strings.Join(v.combined, "\n"))
	}
	return nil
}

// The limits of names
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html).
const (
	maxName       = 255
	maxDimensions = 30
	maxValue      = 1024 // of a dimension
)

func (v *checks) namespace(name string) {
	v.length("Namespace", name, maxName)
	if strings.HasPrefix(name, ":") {
		v.wrong("The value %s for parameter Namespace is invalid.", name)
	}
}

func (v *checks) dimensions(collection string, all []dimension) {
	v.size(collection, len(all), maxDimensions)
	seen := map[string]bool{}
	for i, d := range all {
		name := fmt.Sprintf("%s.member.%d", collection, i+1)
		v.length(name+".Name", d.Name, maxName)
		v.length(name+".Value", d.Value, maxValue)
		if seen[d.Name] {
			v.wrong("No metric may specify the same dimension name twice.")
		}
		seen[d.Name] = true
	}
}

func (v *checks) unit(parameter, unit string) {
	if unit != "" {
		v.oneOf(parameter, unit, units()...)
	}
}

// units are those of measurements
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
func units() []string {
	return strings.Fields("Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits " +
		"Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second " +
		"Megabits/Second Gigabits/Second Terabits/Second Count/Second None")
}

// period wants 1, 5, 10, 20, 30 or a multiple of 60 seconds
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html).
func (v *checks) period(parameter string, seconds *int) time.Duration {
	v.required(parameter, seconds != nil)
	switch {
	case seconds == nil:
		return 0
	case *seconds < 1:
		v.wrong("The parameter %s must be greater than or equal to 1.", parameter)
	case !validPeriod(*seconds):
		v.wrong("The parameter %s must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.", parameter)
	}
	return time.Duration(*seconds) * time.Second
}

func validPeriod(seconds int) bool {
	return slices.Contains([]int{1, 5, 10, 20, 30}, seconds) || seconds > 0 && seconds%60 == 0
}
