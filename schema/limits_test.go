package schema

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// roomy are limits that let every job of these tests pass.
func roomy() Limits { return Limits{MaxBytes: 1 << 24, MaxItems: 1 << 20, MaxResultBytes: 1 << 26} }

// TestLimits goes to each limit and one step over it, with Decode and Encode.
func TestLimits(t *testing.T) {
	t.Parallel()
	j := jobOf(ES256, 3)
	doc, err := j.Encode(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		at      Limits
		over    Limits
		field   string
		message string
	}{
		{"bytes", Limits{MaxBytes: len(doc)}, Limits{MaxBytes: len(doc) - 1}, "",
			fmt.Sprintf("the job must have at most %d bytes, has %d", len(doc)-1, len(doc))},
		{"items", Limits{MaxItems: 3}, Limits{MaxItems: 2}, "/items", "/items: must hold at most 2 items, holds 3"},
		{"result", Limits{MaxResultBytes: j.MaxResultBytes()}, Limits{MaxResultBytes: j.MaxResultBytes() - 1}, "/items",
			fmt.Sprintf("/items: the result of these 3 items may take %d bytes, the reply queue holds %d", j.MaxResultBytes(), j.MaxResultBytes()-1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Decode(doc, c.at); err != nil {
				t.Errorf("decode at the limit: %v", err)
			}
			if _, err := j.Encode(c.at); err != nil {
				t.Errorf("encode at the limit: %v", err)
			}
			_, encodeErr := j.Encode(c.over)
			for step, bad := range map[string]error{"decode": decodeBad(t, doc, c.over), "encode": encodeErr} {
				got, ok := bad.(*Invalid)
				if !ok || got.Code != CodeTooLarge || got.Field != c.field || got.JobID != "job-1" || !strings.HasPrefix(got.Message, c.message) {
					t.Errorf("%s: got %+v, want too_large at %q: %s", step, bad, c.field, c.message)
				}
			}
		})
	}
}

// TestDefaults holds the numbers that the documents state.
func TestDefaults(t *testing.T) {
	t.Parallel()
	got, want := Limits{MaxItems: -1}.filled(), Limits{MaxBytes: 262_144, MaxItems: 1_000, MaxResultBytes: 253_952}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestMaxResultBytes holds the documented formula for one job of each kind.
func TestMaxResultBytes(t *testing.T) {
	t.Parallel()
	rsa, ec := jobOf(RS256, 2), jobOf(ES256, 2)
	ec.Labels = map[string]string{"a": `"`}
	frame := 101 + 7 + 512 + 32 + 9 + 8
	one := func(o Operation, a Algorithm, extra int) int { return kind{o, a}.job(1, extra).MaxResultBytes() }
	for name, c := range map[string]struct{ got, want int }{
		"RS256":                            {rsa.MaxResultBytes(), 101 + 7 + 512 + 32 + 2*(9+8+14+683)},
		"ES256":                            {ec.MaxResultBytes(), 101 + 7 + 512 + 32 + len(`{"a":"\""}`) + 2*(9+8+50+24+64)},
		"verify":                           {one(Verify, RS256, 400), frame + 138},
		"encrypt with RSA":                 {one(Encrypt, RSA15, 0), frame + 15 + 683},
		"encrypt 1,000 bytes with GCM":     {one(Encrypt, A256GCM, 999), frame + 15 + 1334 + 24 + 31},
		"encrypt 1,600 bytes with CBC":     {one(Encrypt, A256CBC, 1584), frame + 15 + 2134 + 30},
		"encrypt 1,600 bytes with padding": {one(Encrypt, A256CBCPAD, 1599), frame + 15 + 2155 + 30},
		"encrypt 1,599 bytes with padding": {one(Encrypt, A256CBCPAD, 1598), frame + 15 + 2134 + 30},
		"wrap 1,600 bytes":                 {one(WrapKey, A256KW, 1584), frame + 15 + 2144},
		"unwrap 1,608 bytes":               {one(UnwrapKey, A256KW, 1584), frame + 14 + 2134},
		"unwrap with RSA":                  {one(UnwrapKey, RSAOAEP, 0), frame + 14 + 627},
		"decrypt 1,600 bytes with padding": {one(Decrypt, A256CBCPAD, 1584), frame + 14 + 2132},
		"get the public key":               {one(GetPublicKey, "", 0), frame + 29 + 2048 + 1041},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", name, c.got, c.want)
		}
	}
}

// TestResultsFit makes random jobs and the largest results of each kind. A
// limit of exactly MaxResultBytes must always do, with signatures and codes
// whole and something of each message left.
func TestResultsFit(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		j := randomJob(rng)
		limit := j.MaxResultBytes()
		done := resultOf(j, func(int) bool { return true })
		failed := resultOf(j, func(int) bool { return false })
		mixed := resultOf(j, func(int) bool { return rng.IntN(2) == 0 })
		for name, r := range map[string]Result{"done": done, "failed": failed, "mixed": mixed} {
			doc, err := r.Encode(limit)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(doc) > limit {
				t.Fatalf("%s: got %d bytes, want at most %d", name, len(doc), limit)
			}
			checkCut(t, doc, r)
		}
	}
}

// TestBoundIsTight makes the largest result of jobs of each kind and of many
// sizes. The bound must not be over it by more than the comma after the last
// item, the labels that are not there, and what a cut leaves of a message.
func TestBoundIsTight(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		for extra := range 70 {
			j := k.job(1+extra%3, extra*extra/8)
			limit, longest := j.MaxResultBytes(), 0
			for _, done := range []bool{true, false} {
				r := resultOf(j, func(int) bool { return done })
				for i := range r.Items {
					if e := r.Items[i].Error; e != nil {
						e.Message = strings.Repeat("m", MaxMessage)
					}
				}
				doc, err := r.Encode(limit)
				if err != nil {
					t.Fatalf("%s: %v", k, err)
				}
				longest = max(longest, len(doc))
			}
			slack := len(`,"labels":,`) + len(`succeeded`) - len(`failed`)
			if k.operation == GetPublicKey {
				slack += MaxPEM - len(pemOf(717)) + 1
			}
			if longest > limit || longest < limit-slack {
				t.Fatalf("%s: got a result of %d bytes, the formula says %d", k, longest, limit)
			}
		}
	}
}

// checkCut checks that nothing but messages was cut, and those not too far.
func checkCut(t *testing.T, doc []byte, want Result) {
	t.Helper()
	got, err := DecodeResult(doc)
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range got.Items {
		was := want.Items[i]
		if was.Error == nil || item.Error == nil {
			if !reflect.DeepEqual(item, was) {
				t.Fatalf("item %d: got %+v, want %+v", i, item, was)
			}
			continue
		}
		if item.Error.Code != was.Error.Code || item.Error.Retryable != was.Error.Retryable {
			t.Fatalf("item %d: got %+v, want %+v", i, item.Error, was.Error)
		}
		cut, whole := strings.TrimSuffix(item.Error.Message, "…"), clean(was.Error.Message)
		if !strings.HasPrefix(whole, cut) || len(cut) < min(len(whole), minMessage)/2-4 {
			t.Fatalf("item %d: got message %q, want the beginning of %q", i, cut, whole)
		}
	}
}

func TestRandomJobsRoundTrip(t *testing.T) {
	t.Parallel()
	js := compile(t, JobSchema())
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		j := randomJob(rng)
		j.Items = j.Items[:min(len(j.Items), 20)]
		checkRoundTrip(t, js, j)
	}
}
