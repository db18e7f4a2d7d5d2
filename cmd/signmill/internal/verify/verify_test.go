package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/schema"
)

// desk is a directory with files, signatures and keys.
type desk struct {
	t          *testing.T
	dir        string
	ec, other  *ecdsa.PrivateKey
	ecPEM, pem string // files
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir()}
	var err error
	d.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	d.must(err)
	d.other, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	d.must(err)
	d.ecPEM, d.pem = d.publish("ec.pem", &d.ec.PublicKey), d.publish("other.pem", &d.other.PublicKey)
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// write makes a file and returns its name.
func (d *desk) write(name string, content []byte) string {
	d.t.Helper()
	name = filepath.Join(d.dir, name)
	d.must(os.WriteFile(name, content, 0o600))
	return name
}

// publish makes the file of a public key.
func (d *desk) publish(name string, public crypto.PublicKey) string {
	d.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	d.must(err)
	return d.write(name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// signed makes a file with a signature, as the entry of a manifest has them.
func (d *desk) signed(name string) manifest.Entry {
	d.t.Helper()
	content := []byte("content of " + name)
	digest := sha256.Sum256(content)
	sig, err := d.ec.Sign(rand.Reader, digest[:], crypto.SHA256)
	d.must(err)
	return manifest.Entry{
		Path: d.write(name, content), Signature: d.write(name+".sig", sig), PublicKey: d.ecPEM, Algorithm: schema.ES256,
		Digest: manifest.DigestText(schema.ES256, digest[:]), Status: manifest.Signed,
	}
}

// manifest writes entries to a manifest and opens it.
func (d *desk) manifest(entries ...manifest.Entry) *manifest.Reader {
	d.t.Helper()
	name := filepath.Join(d.dir, "manifest.json")
	w, err := manifest.Create(name, manifest.Head{Run: "r", Key: "k", Algorithm: schema.ES256}, false)
	d.must(err)
	d.must(w.Add(entries...))
	d.must(w.Finish(manifest.Counts{Signed: len(entries)}))
	m, err := manifest.Open(name, false)
	d.must(err)
	d.t.Cleanup(m.Close)
	return m
}

// TestManifest: a file verifies only as it was signed, with a key that counts.
func TestManifest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(d *desk, e *manifest.Entry)
		pinned bool   // the other key
		want   string // in the finding; "" when it verifies
	}{
		"as it was signed":         {func(*desk, *manifest.Entry) {}, false, ""},
		"file changed":             {func(d *desk, _ *manifest.Entry) { d.write("a", []byte("other")) }, false, "changed since it was signed"},
		"digest changed, too":      {func(d *desk, e *manifest.Entry) { *e = d.forged(*e) }, false, "signature"},
		"without a digest":         {func(d *desk, e *manifest.Entry) { d.write("a", []byte("other")); e.Digest = "" }, false, "signature"},
		"file gone":                {func(d *desk, e *manifest.Entry) { d.must(os.Remove(e.Path)) }, false, "no such file"},
		"signature gone":           {func(d *desk, e *manifest.Entry) { d.must(os.Remove(e.Signature)) }, false, "no such file"},
		"signature empty":          {func(d *desk, _ *manifest.Entry) { d.write("a.sig", nil) }, false, "a.sig"},
		"signature no DER":         {func(d *desk, _ *manifest.Entry) { d.write("a.sig", make([]byte, 64)) }, false, "a.sig"},
		"signature too long":       {func(d *desk, _ *manifest.Entry) { d.write("a.sig", make([]byte, maxSignature+1)) }, false, "too long for a signature"},
		"signature a directory":    {func(d *desk, e *manifest.Entry) { e.Signature = d.dir }, false, "not a regular file"},
		"signature of another":     {func(d *desk, e *manifest.Entry) { e.Signature = d.signed("b").Signature }, false, "signature"},
		"another key":              {func(d *desk, e *manifest.Entry) { e.PublicKey = d.pem }, false, "signature"},
		"another key is pinned":    {func(*desk, *manifest.Entry) {}, true, "signature"},
		"pinned, and its key lies": {func(d *desk, e *manifest.Entry) { e.PublicKey = d.pem }, true, "signature"},
		"an algorithm of RSA":      {func(_ *desk, e *manifest.Entry) { e.Algorithm, e.Digest = schema.RS256, "" }, false, "RS256"},
		"failed":                   {func(_ *desk, e *manifest.Entry) { e.Status = manifest.Failed }, false, "it was not signed"},
		"failed, and pinned":       {func(_ *desk, e *manifest.Entry) { e.Status = manifest.Failed }, true, "it was not signed"},
		"failed with a reason": {func(_ *desk, e *manifest.Entry) {
			e.Status, e.Error = manifest.Failed, &manifest.Failure{Code: "throttled", Message: "the vault is busy"}
		}, false, "it was not signed: the vault is busy"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			e := d.signed("a")
			test.change(d, &e)
			var pinned crypto.PublicKey
			if test.pinned {
				pinned = &d.other.PublicKey
			}
			n := 0
			for f, err := range All(t.Context(), Manifest(d.manifest(e), pinned)) {
				n++
				d.must(err)
				if got := fmt.Sprint(f.Err); test.want == "" && f.Err != nil || !strings.Contains(got, test.want) {
					t.Errorf("got %v, want %q", got, test.want)
				} else if f.Err == nil && test.want != "" {
					t.Errorf("it verifies, want %q", test.want)
				}
			}
			if n != 1 {
				t.Errorf("got %d findings, want 1", n)
			}
		})
	}
}

// forged changes the file of an entry, and the digest as well.
func (d *desk) forged(e manifest.Entry) manifest.Entry {
	content := []byte("other")
	d.write("a", content)
	digest := sha256.Sum256(content)
	e.Digest = manifest.DigestText(schema.ES256, digest[:])
	return e
}

// TestOrder: findings come in the order of the manifest, and a bad one holds up no
// other.
func TestOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var entries []manifest.Entry
	for i := range 50 {
		e := d.signed(fmt.Sprint(i))
		if i%7 == 3 {
			d.must(os.Remove(e.Path))
		}
		entries = append(entries, e)
	}
	i := 0
	for f, err := range All(t.Context(), Manifest(d.manifest(entries...), nil)) {
		d.must(err)
		if f.File != entries[i].Path || (f.Err != nil) != (i%7 == 3) {
			t.Errorf("finding %d: got %s, %v", i, f.File, f.Err)
		}
		i++
	}
	if i != len(entries) {
		t.Errorf("got %d findings, want %d", i, len(entries))
	}
}

// TestKeyFileGone: a key file that cannot be read is an error, not a finding, and
// ends the rest; with a pinned key it does not matter.
func TestKeyFileGone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	good, bad := d.signed("a"), d.signed("b")
	bad.PublicKey = filepath.Join(d.dir, "gone.pem")
	for pinned, want := range map[crypto.PublicKey]string{nil: "1 findings, error true", &d.ec.PublicKey: "3 findings, error false"} {
		m := d.manifest(good, bad, good)
		n, failed := 0, false
		for f, err := range All(t.Context(), Manifest(m, pinned)) {
			if err != nil {
				failed = true
				continue
			}
			d.must(f.Err)
			n++
		}
		if got := fmt.Sprintf("%d findings, error %t", n, failed); got != want {
			t.Errorf("pinned %t: got %s, want %s", pinned != nil, got, want)
		}
		d.must(os.Remove(filepath.Join(d.dir, "manifest.json")))
	}
}

// TestByHand: a check without a manifest needs a key, and says so if there is none.
func TestByHand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	d.must(err)
	file := d.write("a", []byte("a"))
	digest := sha256.Sum256([]byte("a"))
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	d.must(err)
	public, err := ReadPublicKey(d.publish("rsa.pem", &key.PublicKey))
	d.must(err)
	c := Check{File: file, Signature: d.write("a.sig", sig), Algorithm: schema.RS256, Public: public}
	missing := errors.New("name a key")
	for name, test := range map[string]struct {
		change func(*Check)
		good   bool
		want   error
	}{
		"RSA":         {func(*Check) {}, true, nil},
		"no key":      {func(c *Check) { c.Public = nil }, false, nil},
		"why not":     {func(c *Check) { c.Missing = missing }, false, missing},
		"another use": {func(c *Check) { c.Algorithm = schema.PS256 }, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			test.change(&c)
			if f := c.do(t.Context()); (f.Err == nil) != test.good || test.want != nil && !errors.Is(f.Err, test.want) {
				t.Errorf("got %v, want good %t", f.Err, test.good)
			}
		})
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if f := c.do(ended); !errors.Is(f.Err, context.Canceled) {
		t.Errorf("after the end: got %v, want %v", f.Err, context.Canceled)
	}
}

// TestReadPublicKey: a file that holds none is named.
func TestReadPublicKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if public, err := ReadPublicKey(d.ecPEM); err != nil || !d.ec.PublicKey.Equal(public) {
		t.Errorf("got %v, %v, want the key", public, err)
	}
	for _, name := range []string{d.write("none.pem", []byte("none")), filepath.Join(d.dir, "gone.pem"), d.write("empty.pem", nil)} {
		if _, err := ReadPublicKey(name); err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s: got %v, want an error that names it", name, err)
		}
	}
}
