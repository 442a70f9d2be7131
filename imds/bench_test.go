package imds_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"tegata/imds"
)

// The benchmarks compare our client with that of the AWS SDK for Go, against
// the same server on loopback, connections kept.
//
//	go test -run '^$' -bench . -benchmem ./imds

// A reader reads the id of the instance once with one of the clients.
type reader func(ctx context.Context) (string, error)

func tegataReader(endpoint string) (read reader, done func()) {
	c := &imds.Client{Endpoint: endpoint}
	return func(ctx context.Context) (string, error) { return c.Get(ctx, "meta-data/instance-id") }, c.Close
}

func sdkReader(endpoint string) (read reader, done func()) {
	transport := &http.Transport{}
	c := sdk.New(sdk.Options{Endpoint: endpoint, ClientEnableState: sdk.ClientEnabled, HTTPClient: &http.Client{Transport: transport}})
	return func(ctx context.Context) (string, error) {
		out, err := c.GetMetadata(ctx, &sdk.GetMetadataInput{Path: "instance-id"})
		if err != nil {
			return "", err
		}
		v, err := io.ReadAll(out.Content)
		return string(v), err
	}, transport.CloseIdleConnections
}

// eachClient runs a benchmark for both clients, each with a server of its own.
func eachClient(b *testing.B, run func(b *testing.B, s *service, open func() (reader, func()))) {
	for _, client := range []struct {
		name string
		open func(endpoint string) (read reader, done func())
	}{{"tegata", tegataReader}, {"sdk", sdkReader}} {
		b.Run(client.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			s := new(service)
			serve(b, s, l)
			b.ReportAllocs()
			run(b, s, func() (reader, func()) { return client.open("http://" + l.Addr().String()) })
		})
	}
}

func mustRead(b *testing.B, read reader) {
	if v, err := read(context.Background()); v != instanceID {
		b.Error(v, err)
	}
}

// BenchmarkCached reads with a token at hand.
func BenchmarkCached(b *testing.B) {
	eachClient(b, func(b *testing.B, _ *service, open func() (reader, func())) {
		read, done := open()
		defer done()
		for b.Loop() {
			mustRead(b, read)
		}
	})
}

// BenchmarkCold makes a client for each read: a connection, a token, a value.
func BenchmarkCold(b *testing.B) {
	eachClient(b, func(b *testing.B, _ *service, open func() (reader, func())) {
		for b.Loop() {
			read, done := open()
			mustRead(b, read)
			done()
		}
	})
}

// BenchmarkFirstReaders lets a thousand readers of a new client begin at once.
func BenchmarkFirstReaders(b *testing.B) {
	eachClient(b, func(b *testing.B, s *service, open func() (reader, func())) {
		for b.Loop() {
			read, done := open()
			var all sync.WaitGroup
			for range firstReaders {
				all.Go(func() { mustRead(b, read) })
			}
			all.Wait()
			done()
		}
		b.ReportMetric(float64(s.puts.Load())/float64(b.N), "PUT/op")
	})
}

const firstReaders = 1000

// TestFirstReaders wants one token for a thousand readers who begin at once,
// over real connections.
func TestFirstReaders(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{get: needToken}
	serve(t, s, l)
	c := &imds.Client{Endpoint: "http://" + l.Addr().String()}
	defer c.Close()
	var all sync.WaitGroup
	for range firstReaders {
		all.Go(func() {
			if v, err := c.InstanceID(t.Context()); v != instanceID {
				t.Error(v, err)
			}
		})
	}
	all.Wait()
	if s.puts.Load() != 1 || s.gets.Load() != firstReaders {
		t.Errorf("%d PUT and %d GET, want 1 and %d", s.puts.Load(), s.gets.Load(), firstReaders)
	}
}
