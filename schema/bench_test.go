package schema

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"
)

// jsonJob is what a job looks like to encoding/json.
type jsonJob struct {
	Schema, ID, Operation, Key, Algorithm string
	Items                                 []struct{ ID, Digest string }
}

// manyDigests returns a job of 2,000 digests, about 150 KB.
func manyDigests(b *testing.B) []byte {
	doc, err := jobOf(ES256, 2000).Encode(roomy())
	if err != nil {
		b.Fatal(err)
	}
	return doc
}

// BenchmarkDecode compares Decode with json.Unmarshal into structs and a
// base64 decoding of each digest, which checks next to nothing. The metric
// of-unmarshal is the share of the latter's time that Decode takes.
func BenchmarkDecode(b *testing.B) {
	doc := manyDigests(b)
	const rounds = 100
	start := time.Now()
	for range rounds {
		unmarshal(b, doc)
	}
	base := float64(time.Since(start).Nanoseconds()) / rounds
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(doc, roomy()); err != nil {
			b.Fatal(err)
		}
	}
	own := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(own/base, "of-unmarshal")
}

func unmarshal(b *testing.B, doc []byte) {
	var p jsonJob
	if err := json.Unmarshal(doc, &p); err != nil {
		b.Fatal(err)
	}
	for _, item := range p.Items {
		if _, err := base64.RawURLEncoding.DecodeString(item.Digest); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodeResult writes 1,000 failures that must be cut to fit.
func BenchmarkEncodeResult(b *testing.B) {
	r := resultOf(jobOf(ES256, 1000), func(int) bool { return false })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Encode(0); err != nil {
			b.Fatal(err)
		}
	}
}
