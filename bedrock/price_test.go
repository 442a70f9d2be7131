package bedrock

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func TestPriceOf(t *testing.T) {
	sonnet := Price{In: 3, Out: 15, CacheRead: 0.3, CacheWrite: 3.75}
	for _, tt := range []struct {
		id   string
		want Price
		ok   bool
	}{
		{"anthropic.claude-sonnet-4-6", sonnet, true},
		{"global.anthropic.claude-sonnet-4-6", sonnet, true},
		{"jp.anthropic.claude-sonnet-4-6", sonnet.times(1.1), true},
		{"arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-sonnet-4-6", sonnet.times(1.1), true},
		{"arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/global.anthropic.claude-sonnet-4-6", sonnet, true},
		{"amazon.nova-lite-v1:0", Price{In: 0.06, Out: 0.24, CacheRead: 0.015}, true},
		{"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", Price{}, false},
		{"jp.anthropic.claude-99", Price{}, false},
		{"", Price{}, false},
	} {
		if got, ok := PriceOf(tt.id); got != tt.want || ok != tt.ok {
			t.Errorf("PriceOf(%q) = %+v, %v; want %+v, %v", tt.id, got, ok, tt.want, tt.ok)
		}
	}
}

func TestCost(t *testing.T) {
	p := Price{In: 3, Out: 15, CacheRead: 0.3, CacheWrite: 3.75}
	got := p.Cost(Usage{Input: 1000, Output: 200, Total: 91200, CacheRead: 80000, CacheWrite: 10000})
	const want = 0.003 + 0.003 + 0.024 + 0.0375
	if math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v USD, want %v", got, want)
	}
}

func TestPricesTellTheirOrigin(t *testing.T) {
	var table struct {
		Source, Date, Unit string
		Models             []priceEntry
	}
	if err := json.Unmarshal(pricesJSON, &table); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.DateOnly, table.Date); err != nil || table.Source == "" || table.Unit == "" {
		t.Errorf("source %q, date %q, unit %q", table.Source, table.Date, table.Unit)
	}
	if len(prices()) != len(table.Models) || len(table.Models) == 0 {
		t.Errorf("%d models, %d of them different", len(table.Models), len(prices()))
	}
	for _, m := range table.Models {
		if m.In <= 0 || m.Out < m.In || m.CacheRead > m.In || m.Near < 1 || m.Near > 1.2 || BaseID(m.Model) != m.Model {
			t.Errorf("%s: %+v", m.Model, m)
		}
	}
}
