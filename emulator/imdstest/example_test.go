package imdstest_test

import (
	"testing"
	"time"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/imds"
)

// TestSpotNotice is the example that the package's documentation shows.
func TestSpotNotice(t *testing.T) {
	s := imdstest.NewServer(t, emulator.Options{Instance: emulator.Instance{Region: "eu-west-1"}})
	c := imds.Client{Endpoint: s.URL}
	if region, err := c.Region(t.Context()); err != nil || region != "eu-west-1" {
		t.Errorf("got %q, %v", region, err)
	}
	s.Interrupt(2 * time.Minute)
	if _, err := c.Get(t.Context(), "meta-data/spot/instance-action"); err != nil {
		t.Error(err)
	}
}
