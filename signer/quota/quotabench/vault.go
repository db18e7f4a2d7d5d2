package quotabench

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Vault enforces a model's quota and notes what arrives. Replicas reach it
// through Links.
type Vault struct {
	url     string
	hint    bool
	start   time.Time
	answers map[string][]byte // bodies of successes, by path

	mu      sync.Mutex // guards the fields below
	model   Model
	arrived Ledger
}

// NewVault opens a vault at url, such as https://bench.vault.azure.net. The
// run, and with it the first window, starts now.
func NewVault(url string, rules Rules) (*Vault, error) {
	model, err := rules.Model()
	if err != nil {
		return nil, err
	}
	v := &Vault{url: url, hint: rules.Hint, start: time.Now(), model: model, answers: map[string][]byte{}}
	for _, k := range []Key{Software2048, HSM2048, HSM4096} {
		v.prepare(k)
	}
	return v, nil
}

// URL returns the vault's base URL.
func (v *Vault) URL() string { return v.url }

// Arrived returns what has arrived so far, in the order of time.
func (v *Vault) Arrived() Ledger {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append(Ledger(nil), v.arrived...)
}

// prepare writes the answers about k once, so that a run does not.
func (v *Vault) prepare(k Key) {
	m, kid := k.material(), k.KID(v.url)
	bundle := encode(map[string]any{
		"key":        map[string]any{"kid": kid, "kty": k.kty(), "n": m.N, "e": m.E, "key_ops": []string{"sign", "verify"}},
		"attributes": map[string]any{"enabled": true},
	})
	path := "/keys/" + k.Name
	v.answers[path+"/"] = bundle
	v.answers[path+"/"+version] = bundle
	v.answers[path+"/"+version+"/sign"] = encode(map[string]any{"kid": kid, "value": m.Signature})
}

// arrive admits or refuses a call that has just arrived.
func (v *Vault) arrive(replica int, cost float64) (ok bool, after time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := time.Since(v.start)
	ok, after = v.model.Admit(at, cost)
	v.arrived = append(v.arrived, Arrival{At: at, Replica: replica, Cost: cost, Admitted: ok})
	return ok, after
}

// cost returns what a request draws from the quota: a signature its key's
// cost, anything else one unit.
func cost(req *http.Request) float64 {
	path := strings.Split(req.URL.Path, "/")
	if req.Method == http.MethodPost && len(path) > 2 {
		if k, found := named(path[2]); found {
			return k.Cost
		}
	}
	return 1
}

func encode(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // maps of strings can be written
	}
	return text
}
