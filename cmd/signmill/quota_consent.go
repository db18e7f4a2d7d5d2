package main

import (
	"fmt"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/estimate"
	"github.com/signmill/signmill/cmd/signmill/internal/probe"
	"github.com/signmill/signmill/signer/quota"
)

// consent says what the probe costs, and lets a person agree to it.
func (c *quotaProbe) consent(k estimate.Kind, p probe.Prober) error {
	calls := p.Calls()
	fmt.Fprintf(c.err, "signmill: the probe sends up to %s operations with a key of type %s, %s units, billed as %s; for about %s others are refused by %s\n",
		display.Grouped(int64(calls)), k.Name, display.Grouped(int64(calls)*int64(p.Cost)), priceClass(k.Class), probe.Window, c.vault)
	if c.yes {
		return nil
	}
	name := vaultName(c.vault)
	return c.typed("Type the name of the vault, "+name+", to go on: ", name, "nothing was sent but the read of the key")
}

// priceClass is the row of the vendor's price list.
func priceClass(c quota.Class) string {
	switch {
	case c.Type == quota.RSA && c.Bits == 2048 && c.HSM:
		return "RSA 2,048-bit keys in hardware"
	case c.Type == quota.RSA && c.Bits == 2048:
		return "RSA 2,048-bit keys"
	case c.HSM:
		return "advanced keys in hardware"
	}
	return "advanced keys"
}

// vaultName is the first label of a vault's host, or the host of a local one.
func vaultName(url string) string {
	_, host, _ := strings.Cut(url, "://")
	host = strings.TrimRight(host, "/")
	if isLoopback(url) {
		return host
	}
	name, _, _ := strings.Cut(host, ".")
	return name
}
