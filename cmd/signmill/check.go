package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// check is one file whose signature is to be verified.
type check struct {
	file      string
	signature string
	digest    string // what the manifest says; "" when nothing does
	algorithm schema.Algorithm
	public    crypto.PublicKey
	key       string         // file of public; "" when it is pinned
	missing   error          // why there is nothing to check it with; nil: there is
	entry     manifest.Entry // where it came from; zero without a manifest
}

// finding is what came of a check.
type finding struct {
	check
	err error // nil: the signature verifies
}

// do verifies one signature with nothing but the files.
func (c check) do(ctx context.Context) finding {
	if c.missing != nil {
		return finding{c, c.missing}
	}
	if c.entry.Error != nil {
		return finding{c, fmt.Errorf("it was not signed: %s", c.entry.Error.Message)}
	}
	if c.public == nil || c.entry.Status == manifest.Failed {
		return finding{c, errors.New("it was not signed")}
	}
	d := files.Digest(ctx, c.file, c.algorithm)
	if d.Err != nil {
		return finding{c, d.Err}
	}
	if c.digest != "" && c.digest != manifest.DigestText(c.algorithm, d.Digest) {
		return finding{c, errors.New("the file has changed since it was signed")}
	}
	sig, err := readSignature(c.signature)
	if err != nil {
		return finding{c, err}
	}
	return finding{c, verifyFile(c, d.Digest, sig)}
}

// verifyFile verifies a signature in the form in which files carry it.
func verifyFile(c check, digest, sig []byte) error {
	jose, err := signer.JOSE(c.algorithm, sig)
	if err != nil {
		return fmt.Errorf("%s: %w", display.OneLine(c.signature), err)
	}
	return signer.Verify(c.public, c.algorithm, digest, jose)
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

// readPublicKey reads a public key in PEM. It may come through a pipe, for a
// person has named it.
func readPublicKey(name string) (crypto.PublicKey, error) {
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
