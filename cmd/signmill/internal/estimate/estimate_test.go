package estimate

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
)

// effortOf is a campaign of one worker at the documented quota.
func effortOf(t *testing.T, operation schema.Operation, loads map[string]int64) Effort {
	t.Helper()
	f := Effort{Operation: operation, Quota: 4000, Replicas: 1, Concurrency: 64, Latency: 90 * time.Millisecond}
	for _, name := range KindNames() {
		if n := loads[name]; n > 0 {
			k, err := ParseKind(name)
			if err != nil {
				t.Fatal(err)
			}
			f.Loads = append(f.Loads, Load{k, n})
		}
	}
	if len(f.Loads) != len(loads) {
		t.Fatalf("%v has an unknown kind", loads)
	}
	return f
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		operation schema.Operation
		loads     map[string]int64
		change    func(*Effort)
		want      Estimate // rates are compared apart
		quotaRate float64
	}{
		{
			name: "the quota decides", operation: schema.Sign, loads: map[string]int64{"RSA-2048": 39600},
			// 39,600 and one read of 16 units at 396 a second
			want:      Estimate{Operations: 39600, Calls: 39601, Reads: 1, Units: 39616, Bound: ByQuota, Time: 100040404040, Windows: 11, Useful: 1},
			quotaRate: 396,
		},
		{
			name: "a dear key makes fewer calls", operation: schema.Decrypt, loads: map[string]int64{"RSA-HSM-4096": 99},
			want:      Estimate{Operations: 99, Calls: 100, Reads: 1, Units: 1600, Bound: ByQuota, Time: 4040404040, Windows: 1, Useful: 1},
			quotaRate: 24.75,
		},
		{
			name: "few calls in flight", operation: schema.Sign, loads: map[string]int64{"EC-P256": 1000},
			change:    func(f *Effort) { f.Concurrency, f.Latency = 4, 100*time.Millisecond },
			want:      Estimate{Operations: 1000, Calls: 1001, Reads: 1, Units: 1016, Bound: ByConcurrency, Time: 25 * time.Second, Windows: 3, Useful: 10},
			quotaRate: 396,
		},
		{
			name: "more than the gate lets be in flight", operation: schema.Sign, loads: map[string]int64{"EC-P256": 25600},
			change:    func(f *Effort) { f.Concurrency, f.Latency = 1000, 10*time.Second },
			want:      Estimate{Operations: 25600, Calls: 25604, Reads: 4, Units: 25619, Bound: ByConcurrency, Time: 1000 * time.Second, Windows: 100, Useful: 16},
			quotaRate: 396,
		},
		{
			name: "two kinds with prices, one without", operation: schema.Sign, loads: map[string]int64{"RSA-2048": 20000, "EC-HSM-P256": 9800},
			change: func(f *Effort) { f.Prices, f.Replicas = map[string]float64{"RSA-2048": 0.05}, 2 },
			want: Estimate{Operations: 29800, Calls: 29804, Reads: 4, Units: 39664, Bound: ByQuota, Time: 100161616161, Windows: 11, Useful: 1,
				Cost: 0.1, Unpriced: []string{"EC-HSM-P256"}},
			quotaRate: 396 * 29800. / 39600,
		},
		{
			name: "an HMAC is checked by a second call", operation: schema.Sign, loads: map[string]int64{"oct-HSM": 99},
			want:      Estimate{Operations: 99, Calls: 199, Reads: 1, Units: 412, Bound: ByQuota, Time: 1040404040, Windows: 1, Useful: 1},
			quotaRate: 198,
		},
		{
			name: "done with the public key", operation: schema.Encrypt, loads: map[string]int64{"RSA-4096": 1000},
			change: func(f *Effort) { f.Prices = map[string]float64{} },
			want:   Estimate{Operations: 1000, Bound: Unbound},
		},
		{
			name: "a pool's hardware decides", operation: schema.Sign, loads: map[string]int64{"RSA-HSM-2048": 9000, "EC-HSM-P384": 1600},
			change: func(f *Effort) { f.ManagedHSM = true },
			want:   Estimate{Operations: 10600, Calls: 10602, Reads: 2, Units: 21232, Bound: ByPool, Time: 20 * time.Second, Windows: 2, Useful: 1},
		},
		{
			name: "looks for new versions cost what the key does", operation: schema.Sign, loads: map[string]int64{"RSA-3072": 99000},
			change: func(f *Effort) { f.Replicas = 10 },
			// 396,000 units at 396 a second are 1,000 s: 4 looks of 10 workers, the first for 16 units each, the others for 4
			want:      Estimate{Operations: 99000, Calls: 99040, Reads: 40, Units: 396280, Bound: ByQuota, Time: 1000707070707, Windows: 101, Useful: 1},
			quotaRate: 99,
		},
		{
			name: "longer than a duration holds", operation: schema.Sign, loads: map[string]int64{"RSA-HSM-4096": 1e12},
			change:    func(f *Effort) { f.Quota = 1 },
			want:      Estimate{Operations: 1e12, Calls: 1e12 + 30744574, Reads: 30744574, Units: 16e12 + 16*30744574, Bound: ByQuota, Time: math.MaxInt64, Windows: 922337204, Useful: 1},
			quotaRate: 0.0061875,
		},
		{
			name: "a pool of which no figure is known", operation: schema.Encrypt, loads: map[string]int64{"oct-HSM": 6400},
			change: func(f *Effort) { f.ManagedHSM, f.Latency = true, 100*time.Millisecond },
			want:   Estimate{Operations: 6400, Calls: 6401, Reads: 1, Units: 12816, Bound: ByConcurrency, Time: 10 * time.Second, Windows: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := effortOf(t, tt.operation, tt.loads)
			if tt.change != nil {
				tt.change(&f)
			}
			got := f.Estimate()
			if d := got.QuotaRate - tt.quotaRate; d*d > 1e-12 {
				t.Errorf("calls per second at the quota: got %v, want %v", got.QuotaRate, tt.quotaRate)
			}
			got.QuotaRate, got.FleetRate, got.PoolRate = 0, 0, 0
			if got.Time.Round(time.Microsecond) == tt.want.Time.Round(time.Microsecond) {
				got.Time = tt.want.Time
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got\n%+v, want\n%+v", got, tt.want)
			}
		})
	}
}
