package signer_test

import (
	"crypto/elliptic"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	good := asKey(ecKey(t, elliptic.P256()).public)
	tests := []struct {
		name      string
		change    func(k *signer.Key)
		algorithm schema.Algorithm // "" means ES256
		digest    int              // 0 means 32
		want      schema.Code      // "" means no error
		says      string
	}{
		{name: "as it should be", change: func(*signer.Key) {}},
		{name: "key_ops unknown", change: func(k *signer.Key) { k.Operations = nil }},
		{name: "key_ops with sign", change: func(k *signer.Key) { k.Operations = []string{"verify", "sign"} }},
		{name: "key_ops without sign", change: func(k *signer.Key) { k.Operations = []string{"verify"} }, want: schema.CodeKeyUnusable, says: "--ops sign verify"},
		{name: "key_ops empty", change: func(k *signer.Key) { k.Operations = []string{} }, want: schema.CodeKeyUnusable, says: "key_ops"},
		{name: "disabled", change: func(k *signer.Key) { k.Enabled = false }, want: schema.CodeKeyUnusable, says: "--enabled true"},
		{name: "starts now", change: func(k *signer.Key) { k.NotBefore = now }},
		{name: "starts within the leeway", change: func(k *signer.Key) { k.NotBefore = now.Add(signer.Leeway) }},
		{name: "starts later", change: func(k *signer.Key) { k.NotBefore = now.Add(signer.Leeway + time.Second) }, want: schema.CodeKeyUnusable, says: "not valid before 2026-11-24T12:05:01Z"},
		{name: "ended within the leeway", change: func(k *signer.Key) { k.Expires = now.Add(-signer.Leeway) }},
		{name: "ended", change: func(k *signer.Key) { k.Expires = now.Add(-signer.Leeway - time.Second) }, want: schema.CodeKeyUnusable, says: "expired at 2026-11-24T11:54:59Z"},
		{name: "other curve", change: func(*signer.Key) {}, algorithm: schema.ES384, digest: 48, want: schema.CodeAlgorithmNotFitting, says: "P-384"},
		{name: "other family", change: func(*signer.Key) {}, algorithm: schema.RS256, want: schema.CodeAlgorithmNotFitting, says: "RSA"},
		{name: "short digest", change: func(*signer.Key) {}, digest: 31, want: schema.CodeAlgorithmNotFitting, says: "32 bytes"},
		{name: "long digest", change: func(*signer.Key) {}, digest: 64, want: schema.CodeAlgorithmNotFitting, says: "has 64"},
		{name: "unfit before disabled", change: func(k *signer.Key) { k.Enabled = false }, algorithm: schema.RS256, want: schema.CodeAlgorithmNotFitting},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key := good
			test.change(&key)
			algorithm, digest := test.algorithm, make([]byte, 32)
			if algorithm == "" {
				algorithm = schema.ES256
			}
			if test.digest != 0 {
				digest = make([]byte, test.digest)
			}
			checkOutcome(t, signer.Check(key, schema.Sign, algorithm, signer.Input{Size: len(digest), At: now}), test.want, test.says)
		})
	}
}

func checkOutcome(t *testing.T, err error, want schema.Code, says string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	var e *signer.Error
	if !errors.As(err, &e) || e.Code != want || !strings.Contains(e.Message, says) {
		t.Errorf("%v, want code %s and %q", err, want, says)
	}
}
