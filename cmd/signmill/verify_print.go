package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/verify"
	"github.com/signmill/signmill/schema"
)

// findingLine is a finding as one line of --json.
type findingLine struct {
	Path     string `json:"path"`
	Verified bool   `json:"verified"`
	Error    string `json:"error,omitempty"`
	Key      string `json:"publicKey,omitempty"` // file
}

// print shows a finding as the checkers of coreutils do.
func (o verifyOptions) print(out io.Writer, f verify.Finding) error {
	if f.Err == nil && o.quiet {
		return nil
	}
	line := findingLine{Path: f.File, Verified: f.Err == nil, Key: f.Key}
	if o.publicKey != "" {
		line.Key = o.publicKey
	}
	if f.Err != nil {
		line.Error = f.Err.Error()
	}
	var err error
	switch {
	case o.json:
		err = json.NewEncoder(out).Encode(line)
	case f.Err != nil:
		_, err = fmt.Fprintf(out, "%s: FAILED: %s\n", display.OneLine(line.Path), display.OneLine(line.Error))
	default:
		_, err = fmt.Fprintf(out, "%s: OK\n", display.OneLine(line.Path))
	}
	return err
}

// algorithmFor returns the algorithm of files without a manifest: for an
// elliptic curve there is but one.
func (o verifyOptions) algorithmFor(public crypto.PublicKey) (schema.Algorithm, error) {
	if o.algorithm.Algorithm != "" {
		return o.algorithm.Algorithm, nil
	}
	switch key := public.(type) {
	case *rsa.PublicKey:
		return "", usagef("the public key is an RSA key: say with --alg how it signed, for instance --alg PS256")
	case *ecdsa.PublicKey:
		for _, a := range schema.PublicKeySignatures() {
			if a.Curve() == key.Params().Name {
				return a, nil
			}
		}
	}
	return schema.ES256K, nil
}
