package nearest_test

import (
	"slices"
	"testing"

	"tegata/internal/nearest"
)

func TestNames(t *testing.T) {
	known := []string{"instance-id", "instance-type", "mac", "region", "rat", "bat"}
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"instnce-id", []string{"instance-id"}},
		{"InstanceType", []string{"instance-type"}},
		{"regoin", []string{"region"}},
		{"cat", []string{"rat", "bat"}},
		{"mac", []string{"mac"}},
		{"m", nil},
		{"", nil},
		{"hostname", nil},
	} {
		if got := nearest.Names(tt.name, known); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.name, got, tt.want)
		}
	}
}
