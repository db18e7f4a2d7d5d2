package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"regexp"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/worker/policy"
)

// TestClaimIsNeverShown has dead letters with the claim of a producer looked at
// and replayed, at the highest level of the log: nothing shows the claim, and
// the replayed job carries it.
func TestClaimIsNeverShown(t *testing.T) {
	t.Parallel()
	s := startStack(t, nil)
	properties := map[string]any{policy.ClaimProperty: claimOf(t, "billing"), "authorization": "Bearer " + claimOf(t, "crm")}
	s.send(jobOf(0, 0, 1), properties)
	s.bury(1)
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"dlq", "list"}, `attempts_exhausted`},
		{[]string{"dlq", "list", "--json"}, `"reason":"attempts_exhausted"`},
		{[]string{"dlq", "show", "1"}, `authorization=\(JWT of "crm", .*, signmill-producer=\(JWT of "billing", issuer "i", expires 2030-01-02T04:00:00Z, not verified, not shown\)`},
		{[]string{"dlq", "show", "1", "--json"}, `"signmill-producer":{"hidden":true,"subject":"billing","issuer":"i","expires":"2030-01-02T04:00:00Z","size":\d+}`},
		{[]string{"dlq", "replay", "--dry-run", "--json"}, `"matched":1`},
		{[]string{"dlq", "replay", "--yes", "--json"}, `"done":1`},
	}
	for _, test := range tests {
		var both bytes.Buffer
		cmd := s.command(append(test.args, "--log-level", "debug")...)
		cmd.Stdout, cmd.Stderr = &both, &both
		s.must(cmd.Run())
		if !regexp.MustCompile(test.want).Match(both.Bytes()) {
			t.Errorf("%v: got %s, want %s", test.args, &both, test.want)
		}
		for name, value := range properties {
			if parts := strings.Split(value.(string), "."); strings.Contains(both.String(), parts[2]) || strings.Contains(both.String(), parts[1]) {
				t.Errorf("%v shows the token in %s: %s", test.args, name, &both)
			}
		}
	}
	jobs, err := s.client.Receiver("jobs")
	s.must(err)
	replayed := s.receive(jobs, awaitFor)
	if len(replayed) != 1 {
		t.Fatalf("got %d replayed jobs, want 1", len(replayed))
	}
	for name, value := range properties {
		if got := replayed[0].Properties[name]; got != value {
			t.Errorf("%s of the replayed job: got %v, want %v", name, got, value)
		}
	}
}

// claimOf is a claim, or looks like one.
func claimOf(t *testing.T, producer string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{"iss": "i", "sub": producer, "exp": 1893556800}
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// send sends a job with application properties.
func (s *processes) send(j schema.Job, properties map[string]any) {
	s.Helper()
	body, err := j.Encode(schema.Limits{})
	s.must(err)
	to, err := s.client.Sender("jobs")
	s.must(err)
	s.must(to.Send(s.Context(), queue.Message{ID: j.ID, Body: body, Properties: properties}))
	s.must(to.Close(s.Context()))
}
