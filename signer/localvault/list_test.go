package localvault_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/signmill/signmill/signer/localvault"
)

// Pages of any size hold each key once, and their links say nothing of it.
func TestPageSize(t *testing.T) {
	t.Parallel()
	var cfg localvault.Config
	for _, name := range []string{"Beta", "alpha", "gamma", "delta", "Epsilon"} {
		cfg.Keys = append(cfg.Keys, localvault.KeySpec{Name: name, Type: "EC"})
	}
	server := start(t, cfg)
	want := []string{"alpha", "Beta", "delta", "Epsilon", "gamma"}
	for size, pages := range map[string]int{"1": 5, "2": 3, "5": 1, "25": 1} {
		var got []string
		asked := 0
		for target := "/keys?api-version=7.6&maxresults=" + size; target != ""; asked++ {
			status, _, body := ask(t, server, "GET", target, "")
			var page struct {
				Value    []struct{ Kid string }
				NextLink string
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 {
				t.Fatal(status, body, err)
			}
			for _, v := range page.Value {
				got = append(got, v.Kid[strings.LastIndex(v.Kid, "/")+1:])
			}
			target = strings.TrimPrefix(page.NextLink, memoryURL)
			if strings.Contains(target, strings.ToLower(got[len(got)-1])) {
				t.Errorf("%s names a key", target)
			}
		}
		if !slices.Equal(got, want) || asked != pages {
			t.Errorf("size %s: %d pages with %v, want %d", size, asked, got, pages)
		}
	}
}
