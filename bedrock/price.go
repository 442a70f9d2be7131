package bedrock

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
)

// A Price is in USD per million tokens.
type Price struct {
	In, Out               float64
	CacheRead, CacheWrite float64 // the latter for five minutes
}

// prices.json says where its figures are from and of which day they are. AWS
// gives prices to no caller of Bedrock.
//
//go:embed prices.json
var pricesJSON []byte

// A priceEntry is the price of a model under its own id and by way of a global
// profile.
type priceEntry struct {
	Model string  `json:"model"` // id of the model itself
	Near  float64 `json:"near"`  // factor for profiles that stay in an area
	Price
}

var prices = sync.OnceValue(func() map[string]priceEntry {
	var table struct {
		Models []priceEntry `json:"models"`
	}
	if err := json.Unmarshal(pricesJSON, &table); err != nil {
		panic(fmt.Sprintf("embedded prices: %v", err))
	}
	byModel := map[string]priceEntry{}
	for _, e := range table.Models {
		byModel[e.Model] = e
	}
	return byModel
})

// PriceOf returns the price of a model by the id that calls it: its own, that
// of a profile, or an ARN of either. A profile that keeps the data in an area
// is dearer than the global one. It reports false for a model that it does not
// know, so that an unknown cost is not taken for none.
func PriceOf(id string) (Price, bool) {
	e, ok := prices()[BaseID(id)]
	if area := areaOf(id[strings.LastIndexByte(id, '/')+1:]); area != "" && area != "global" {
		e.Price = e.times(e.Near)
	}
	return e.Price, ok
}

// times is exact to a millionth of a dollar, which is closer than any price
// list.
func (p Price) times(f float64) Price {
	exact := func(v float64) float64 { return math.Round(v*f*1e6) / 1e6 }
	return Price{In: exact(p.In), Out: exact(p.Out), CacheRead: exact(p.CacheRead), CacheWrite: exact(p.CacheWrite)}
}

// Cost returns what a call costs, in USD. Bedrock counts what comes from a
// cache, or goes into one, apart from the other input.
func (p Price) Cost(u Usage) float64 {
	const million = 1e6
	return (float64(u.Input)*p.In + float64(u.Output)*p.Out +
		float64(u.CacheRead)*p.CacheRead + float64(u.CacheWrite)*p.CacheWrite) / million
}
