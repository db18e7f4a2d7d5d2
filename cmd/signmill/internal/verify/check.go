package verify

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/cmd/signmill/internal/parallel"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Check is one file whose signature is to be verified.
type Check struct {
	File      string
	Signature string // file; DER for EC, raw for RSA
	Algorithm schema.Algorithm
	Public    crypto.PublicKey // nil: it was not signed
	Key       string           // file of public; "" when it is pinned
	Missing   error            // why there is nothing to check it with; nil: there is
	Entry     manifest.Entry   // where it came from; zero without a manifest
}

// Finding is what came of a check.
type Finding struct {
	Check
	Err error // nil: the signature verifies
}

// All does checks, some at a time, and yields what came of them in their order.
// An error among the checks is yielded and ends it.
func All(ctx context.Context, checks iter.Seq2[Check, error]) iter.Seq2[Finding, error] {
	return parallel.InOrder(runtime.GOMAXPROCS(0), checks, func(c Check) Finding { return c.do(ctx) })
}

// do verifies one signature with nothing but the files.
func (c Check) do(ctx context.Context) Finding {
	if c.Missing != nil {
		return Finding{c, c.Missing}
	}
	if c.Entry.Error != nil {
		return Finding{c, fmt.Errorf("it was not signed: %s", c.Entry.Error.Message)}
	}
	if c.Public == nil || c.Entry.Status == manifest.Failed {
		return Finding{c, errors.New("it was not signed")}
	}
	d := files.Digest(ctx, c.File, c.Algorithm)
	if d.Err != nil {
		return Finding{c, d.Err}
	}
	if c.Entry.Digest != "" && c.Entry.Digest != manifest.DigestText(c.Algorithm, d.Digest) {
		return Finding{c, errors.New("the file has changed since it was signed")}
	}
	sig, err := readSignature(c.Signature)
	if err != nil {
		return Finding{c, err}
	}
	return Finding{c, verifyFile(c, d.Digest, sig)}
}

// verifyFile verifies a signature in the form in which files carry it.
func verifyFile(c Check, digest, sig []byte) error {
	jose, err := signer.JOSE(c.Algorithm, sig)
	if err != nil {
		return fmt.Errorf("%s: %w", display.OneLine(c.Signature), err)
	}
	return signer.Verify(c.Public, c.Algorithm, digest, jose)
}

// maxSignature is more than any signature takes.
const maxSignature = 8 * 1024

func readSignature(name string) ([]byte, error) {
	f, err := files.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	sig, err := io.ReadAll(io.LimitReader(f, maxSignature+1))
	if err == nil && len(sig) > maxSignature {
		err = fmt.Errorf("%s is too long for a signature", display.OneLine(name))
	}
	return sig, display.Error(err)
}

// maxPublicKey is more than any public key takes.
const maxPublicKey = 16 * 1024

// ReadPublicKey reads a public key in PEM. It may come through a pipe, for a
// person has named it.
func ReadPublicKey(name string) (crypto.PublicKey, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, display.Error(err)
	}
	return parsePublicKey(f)
}

// parsePublicKey reads f and closes it.
func parsePublicKey(f *os.File) (crypto.PublicKey, error) {
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxPublicKey))
	if err != nil {
		return nil, display.Error(err)
	}
	public, err := signer.ParsePEM(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", display.OneLine(f.Name()), err)
	}
	return public, nil
}

// publicKeys reads each public key file that a manifest names once.
type publicKeys map[string]crypto.PublicKey

func (p publicKeys) read(name string) (crypto.PublicKey, error) {
	if public, ok := p[name]; ok {
		return public, nil
	}
	f, err := files.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	public, err := parsePublicKey(f)
	if err == nil {
		p[name] = public
	}
	return public, err
}

// Manifest yields the files of a manifest. The pinned key is the only one that
// counts; nil stands for those that the manifest names.
func Manifest(m *manifest.Reader, pinned crypto.PublicKey) iter.Seq2[Check, error] {
	keys := publicKeys{}
	return func(yield func(Check, error) bool) {
		for e, err := range m.Entries() {
			c := Check{File: e.Path, Signature: e.Signature, Algorithm: e.Algorithm, Public: pinned, Key: e.PublicKey, Entry: e}
			if err == nil && pinned == nil && e.Status == manifest.Signed {
				c.Public, err = keys.read(e.PublicKey)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
