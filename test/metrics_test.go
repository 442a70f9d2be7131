//go:build linux

package test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Today's botocore speaks CBOR to CloudWatch, older clients JSON or the query
// protocol: all find the same.
func TestCloudWatchProtocols(t *testing.T) {
	t.Parallel()
	requireBox(t)
	python := requirePython(t)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"sum": 499500.0, "count": 1000.0, "median": map[string]any{"p50": 499.0}, "recent": true, "tokenless": 1.0, "nothing": []any{},
		"metrics":       []any{map[string]any{"Namespace": "App", "MetricName": "m", "Dimensions": []any{map[string]any{"Name": "Host", "Value": "a"}}}},
		"alarm":         []any{"arn:aws:cloudwatch:us-west-2:123456789012:alarm:a", "INSUFFICIENT_DATA", 1.5, true, []any{}},
		"tags":          []any{map[string]any{"Key": "k", "Value": "v"}},
		"NaN":           []any{"InvalidParameterValueException", "InvalidParameterValue", 400.0},
		"no value":      []any{"InvalidParameterCombinationException", "InvalidParameterCombination", 400.0},
		"no alarm":      []any{"ResourceNotFound", "ResourceNotFound", 404.0},
		"half an alarm": []any{"ClientError", "ValidationError", 400.0},
		"token":         []any{"InvalidNextToken", "InvalidNextToken", 400.0},
	}
	for _, protocol := range []string{"smithy-rpc-v2-cbor", "json", "query"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			r := run(t, "sandbox", "--scenario", scenario(t, administrator+"imds: {tokens: optional}\n"), "--", python, dir+"/testdata/metrics.py", protocol)
			if strings.Contains(r.stderr, "too old") {
				t.Skip("this botocore knows no " + protocol)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
				t.Fatalf("%v: %s%s", err, r.stdout, r.stderr)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
