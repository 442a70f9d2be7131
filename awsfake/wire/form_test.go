package wire

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type tag struct{ Key, Value string }

type described struct {
	Name    string
	Path    *string
	Tags    []tag
	Filters []filter `query:"Filter"`
	Max     int
	DryRun  *bool
	Start   Time
	Weight  float64
	Nested  *struct{ Inner string }
	common
}

type common struct{ Marker string }

type filter struct {
	Name   string
	Values []string `query:"Value"`
}

func TestDecodeForm(t *testing.T) {
	t.Parallel()
	path, yes := "/a/", true
	at := time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)
	for _, tt := range []struct {
		name, form string
		member     bool
		want       described
	}{
		{"nothing", "", true, described{}},
		{"scalars", "Name=n&Path=/a/&Max=7&DryRun=true&Weight=0.5&Start=2026-11-23T04:05:06Z&Marker=m", true,
			described{Name: "n", Path: &path, Max: 7, DryRun: &yes, Weight: .5, Start: Time{at}, common: common{"m"}}},
		{"a list of the query protocol", "Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=c", true,
			described{Tags: []tag{{"a", "b"}, {"c", ""}}}},
		{"an empty list", "Tags=", true, described{Tags: []tag{}}},
		{"a list with a gap ends there", "Tags.member.1.Key=a&Tags.member.3.Key=c", true, described{Tags: []tag{{"a", ""}}}},
		{"lists of EC2", "Filter.1.Name=n&Filter.1.Value.1=a&Filter.1.Value.2=b", false,
			described{Filters: []filter{{"n", []string{"a", "b"}}}}},
		{"nested", "Nested.Inner=x", true, described{Nested: &struct{ Inner string }{"x"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			var got described
			if err := decodeForm(form, tt.member, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(described{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeFormRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Max=seven", "DryRun=perhaps", "Start=noon", "Weight=heavy"} {
		form, _ := url.ParseQuery(text)
		name, _, _ := strings.Cut(text, "=")
		if err := decodeForm(form, true, new(described)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A form has as many elements in a list as it has parameters for.
func FuzzDecodeForm(f *testing.F) {
	f.Add("Tags.member.1.Key=a&Filter.1.Value.1=b", true)
	f.Add("Filter.1.Value.1=b&Filter.2.Name=c&Nested.Inner=x", false)
	f.Fuzz(func(t *testing.T, text string, member bool) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		var got described
		if err := decodeForm(form, member, &got); err == nil && len(got.Tags)+len(got.Filters) > len(form) {
			t.Errorf("%d tags and %d filters of %d parameters", len(got.Tags), len(got.Filters), len(form))
		}
	})
}
