package schema

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is an operation with one of its algorithms.
type kind struct {
	operation Operation
	algorithm Algorithm
}

func (k kind) String() string { return string(k.operation) + " " + string(k.algorithm) }

// kinds returns each operation with each of its algorithms.
func kinds() []kind {
	list := []kind{{GetPublicKey, ""}}
	for _, o := range Operations() {
		for _, a := range o.Algorithms() {
			list = append(list, kind{o, a})
		}
	}
	return list
}

// job returns a job of n items, but one for getPublicKey. Where the length of
// a part is free, extra is added to the least, as far as the rule allows.
func (k kind) job(n, extra int) Job {
	j := Job{ID: "job-1", Operation: k.operation, Key: "invoices", Algorithm: k.algorithm}
	if k.operation == GetPublicKey {
		n = 1
	}
	j.fill()
	rules := j.sizes()
	for i := range n {
		item := Item{ID: fmt.Sprintf("item-%d", i)}
		for p := range parts {
			if size := rules[p].near(extra); size > 0 {
				*item.part(p) = make([]byte, size)
			}
		}
		j.Items = append(j.Items, item)
	}
	return j
}

// near returns a length that fits s, about extra bytes over the least.
func (s *size) near(extra int) int {
	n := min(s.least+extra, s.most)
	if s.block > 0 {
		n -= n % s.block
	}
	return n
}

// jobOf returns a job of n digests to sign.
func jobOf(a Algorithm, n int) Job { return kind{Sign, a}.job(n, 0) }

// randomJob returns a valid job of any kind with ids and labels that need
// escapes, and with random bytes.
func randomJob(rng *rand.Rand) Job {
	k := kinds()[rng.IntN(len(kinds()))]
	j := k.job(1+rng.IntN(300), rng.IntN(600))
	if k.operation.signatures() {
		j.Format = []SignatureFormat{JOSE, DER}[rng.IntN(2)]
	}
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
		for p := range parts {
			fillRandom(rng, *j.Items[i].part(p))
		}
	}
	return j
}

func fillRandom(rng *rand.Rand, bytes []byte) {
	for i := range bytes {
		bytes[i] = byte(rng.Uint32())
	}
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
