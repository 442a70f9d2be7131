package imds_test

import (
	"context"
	"io"
	"net/http/httptest"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"tegata/imds"
)

// BenchmarkGet compares a repeated read with that of the AWS SDK for Go,
// against the same server on loopback, connections kept.
//
//	go test -run '^$' -bench Get -benchmem ./imds
func BenchmarkGet(b *testing.B) {
	srv := httptest.NewServer(new(service))
	defer srv.Close()
	ctx := context.Background()

	b.Run("tegata", func(b *testing.B) {
		c := imds.Client{Endpoint: srv.URL}
		defer c.Close()
		b.ReportAllocs()
		for b.Loop() {
			if v, err := c.Get(ctx, "meta-data/instance-id"); v != instanceID {
				b.Fatal(v, err)
			}
		}
	})
	b.Run("sdk", func(b *testing.B) {
		c := sdk.New(sdk.Options{Endpoint: srv.URL, ClientEnableState: sdk.ClientEnabled})
		b.ReportAllocs()
		for b.Loop() {
			out, err := c.GetMetadata(ctx, &sdk.GetMetadataInput{Path: "instance-id"})
			if err != nil {
				b.Fatal(err)
			}
			if v, err := io.ReadAll(out.Content); string(v) != instanceID {
				b.Fatal(string(v), err)
			}
		}
	})
}
