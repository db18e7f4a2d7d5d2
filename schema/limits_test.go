package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// jobOf returns a valid job of n items.
func jobOf(a Algorithm, n int) Job {
	j := Job{ID: "job-1", Operation: Sign, Key: "invoices", Algorithm: a, Format: JOSE}
	for i := range n {
		j.Items = append(j.Items, Item{ID: fmt.Sprintf("item-%d", i), Digest: make([]byte, a.Hash().Size())})
	}
	return j
}

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
	for name, c := range map[string]struct{ got, want int }{
		"RS256": {rsa.MaxResultBytes(), 88 + 7 + 512 + 2*(9+8+14+683)},
		"ES256": {ec.MaxResultBytes(), 88 + 7 + 512 + len(`{"a":"\""}`) + 2*(9+8+50+24+64)},
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
		signed := resultOf(j, func(int) bool { return true })
		failed := resultOf(j, func(int) bool { return false })
		mixed := resultOf(j, func(int) bool { return rng.IntN(2) == 0 })
		for name, r := range map[string]Result{"signed": signed, "failed": failed, "mixed": mixed} {
			doc, err := r.Encode(limit)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(doc) > limit {
				t.Fatalf("%s: got %d bytes, want at most %d", name, len(doc), limit)
			}
			checkCut(t, doc, r)
		}
		if doc, _ := signed.Encode(0); len(doc) < limit-MaxKID-j.slack() {
			t.Errorf("got %d bytes, the formula says %d: it wastes more than the key identifier and the messages", len(doc), limit)
		}
	}
}

// slack is what the items of j leave free when all are signed.
func (j Job) slack() int {
	signature := base64url.EncodedLen(j.Algorithm.MaxSignature(j.Format)) + len(signatureFrame)
	return 1 + len(`{}`) + len(j.Items)*max(0, len(errorFrame)+MaxCode+minMessage-signature) + len(`,"labels":`)
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
		if string(item.Signature) != string(was.Signature) || item.ID != was.ID {
			t.Fatalf("item %d: got %+v, want %+v", i, item, was)
		}
		if was.Error == nil {
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

// resultOf returns the largest result of j in which the items are signed that
// signed names.
func resultOf(j Job, signed func(i int) bool) Result {
	kid := "https://" + strings.Repeat("v", MaxKID-len("https://"))
	r := Result{ID: j.ID, KID: kid, Labels: j.Labels}
	for i, item := range j.Items {
		out := ItemResult{ID: item.ID}
		if signed(i) {
			out.Signature = make([]byte, j.Algorithm.MaxSignature(j.Format))
		} else {
			out.Error = &Error{Code: Code(strings.Repeat("c", MaxCode)), Message: strings.Repeat(`"ü\`+"\n", i%700)}
		}
		r.Items = append(r.Items, out)
	}
	r.Status = StatusOf(r.Items)
	return r
}

// randomJob returns a valid job with ids and labels that need escapes.
func randomJob(rng *rand.Rand) Job {
	j := jobOf(Algorithms()[rng.IntN(len(Algorithms()))], 1+rng.IntN(300))
	j.Format = []SignatureFormat{JOSE, DER}[rng.IntN(2)]
	j.ID = randomText(rng, 1, MaxID)
	if rng.IntN(2) == 0 {
		j.NotAfter = time.Unix(1_000_000_000+rng.Int64N(1<<36), rng.Int64N(1e9)).UTC()
	}
	for range rng.IntN(MaxLabels) {
		if j.Labels == nil {
			j.Labels = map[string]string{}
		}
		j.Labels[randomText(rng, 1, MaxLabelName)] = randomText(rng, 0, MaxLabelValue)
	}
	for i := range j.Items {
		j.Items[i].ID = fmt.Sprint(i) + randomText(rng, 0, MaxID-6)
		for b := range j.Items[i].Digest {
			j.Items[i].Digest[b] = byte(rng.Uint32())
		}
	}
	return j
}

// randomText returns least to most characters of all widths.
func randomText(rng *rand.Rand, least, most int) string {
	alphabet := []rune(`ab"\/` + "<ü€📄\u00ad\ufffd")
	text := make([]rune, least+rng.IntN(most-least+1))
	for i := range text {
		text[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(text)
}

func TestRandomJobsRoundTrip(t *testing.T) {
	t.Parallel()
	js := compile(t, JobSchema())
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		j := randomJob(rng)
		j.Items = j.Items[:min(len(j.Items), 40)]
		checkRoundTrip(t, js, j)
	}
}
