package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
)

// operationTable renders the contract's operations and algorithms as Markdown,
// with where each is done and which key it needs.
func operationTable(*testing.T, string) string {
	operations := schema.Operations()[:6] // getPublicKey takes no algorithm
	var b strings.Builder
	b.WriteString("| algorithm | key |")
	for _, o := range operations {
		fmt.Fprintf(&b, " %s |", o)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(operations)) + "\n")
	for _, a := range schema.Algorithms() {
		fmt.Fprintf(&b, "| %s | %s |", a, keyFor(a))
		for _, o := range operations {
			fmt.Fprintf(&b, " %s |", place(o, a))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// keyFor names the keys that an algorithm takes.
func keyFor(a schema.Algorithm) string {
	switch a.Family() {
	case schema.ECDSA:
		return "EC, EC-HSM " + a.Curve()
	case schema.HMAC:
		return "oct-HSM"
	case schema.AESGCM, schema.AESCBC, schema.AESKW:
		return "oct-HSM " + string(a[1:4])
	}
	return "RSA, RSA-HSM 2048, 3072, 4096"
}

// place says where an operation is done: by the worker, with the public key
// that it keeps, or by the vault.
func place(o schema.Operation, a schema.Algorithm) string {
	switch {
	case !o.Takes(a):
		return ""
	case !a.Symmetric() && (o == schema.Verify || o == schema.Encrypt || o == schema.WrapKey):
		return "worker"
	}
	return "vault"
}
