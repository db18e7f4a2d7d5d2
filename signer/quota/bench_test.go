package quota

import (
	"context"
	"testing"

	"golang.org/x/time/rate"
)

// BenchmarkPass compares a call that meets no line with the bare limiter of
// x/time/rate, in turns and in one run, so that noise meets both.
func BenchmarkPass(b *testing.B) {
	g, err := New(Config{Quota: 1e12})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	ctx := WithCaller(b.Context(), Caller{Job: "job", Lane: "lane"})
	if p, err := g.Enter(ctx, 1); err == nil {
		p.Leave(Result{Outcome: Accepted})
	}
	bare := rate.NewLimiter(1e11, 1e9)
	for range 3 {
		b.Run("gate", func(b *testing.B) { benchGate(ctx, b, g) })
		b.Run("x-time-rate", func(b *testing.B) { benchRate(ctx, b, bare) })
	}
	b.Run("gate, 8 at a time", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if p, err := g.Enter(ctx, 1); err == nil {
					p.Leave(Result{Outcome: Accepted})
				}
			}
		})
	})
}

func benchGate(ctx context.Context, b *testing.B, g *Gate) {
	b.ReportAllocs()
	for b.Loop() {
		p, err := g.Enter(ctx, 1)
		if err != nil {
			b.Fatal(err)
		}
		p.Leave(Result{Outcome: Accepted})
	}
}

func benchRate(ctx context.Context, b *testing.B, bare *rate.Limiter) {
	b.ReportAllocs()
	for b.Loop() {
		if err := bare.WaitN(ctx, 1); err != nil {
			b.Fatal(err)
		}
	}
}
