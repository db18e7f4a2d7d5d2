package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer"
)

// reachVault finds out whether the vault's name, network and clock are well.
func (v *visit) reachVault(ctx context.Context) bool {
	u, err := url.Parse(v.VaultURL)
	if err != nil {
		return false // refused long before
	}
	at := servicebus.Address{Host: u.Hostname(), Port: u.Port(), Secure: u.Scheme == "https"}
	if at.Port == "" {
		at.Port = map[bool]string{true: "443", false: "80"}[at.Secure]
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u}); err == nil && proxy != nil {
		v.note("dns", "vault", skip("the proxy %s looks names up", proxy.Host))
		v.note("connection", "vault", skip("the proxy %s connects", proxy.Host))
	} else if !v.reach(ctx, "vault", at) {
		v.note("clock", "vault", skip("the vault cannot be reached"))
		return false
	}
	return v.try(ctx, "clock", "vault", v.clock)
}

// reachBus finds out whether the namespace's name and network are well.
func (v *visit) reachBus(ctx context.Context) bool {
	at, err := v.Bus.Address()
	if err != nil {
		v.note("dns", "namespace", ill(err.Error(), "copy it anew from: az servicebus namespace authorization-rule keys list"))
		return false
	}
	return v.reach(ctx, "namespace", at)
}

func (v *visit) reach(ctx context.Context, what string, at servicebus.Address) bool {
	found := v.try(ctx, "dns", what, func(ctx context.Context) verdict { return lookUp(ctx, what, at.Host) })
	if !found {
		v.note("connection", what, skip("the name is not known"))
		return false
	}
	return v.try(ctx, "connection", what, func(ctx context.Context) verdict { return dial(ctx, what, at) })
}

func lookUp(ctx context.Context, what, host string) verdict {
	if net.ParseIP(host) != nil {
		return well("%s is an address", host)
	}
	found, err := net.DefaultResolver.LookupHost(ctx, host)
	if err == nil {
		return well("%s is %s", host, strings.Join(found, ", "))
	}
	list := map[string]string{"vault": "az keyvault list", "namespace": "az servicebus namespace list"}[what]
	return ill(err.Error(), "find the right name with: "+list+"; where it has a private endpoint, link its private DNS zone to this network")
}

// dial opens a connection, with TLS where the service speaks it, and closes it.
func dial(ctx context.Context, what string, at servicebus.Address) verdict {
	var dialer interface {
		DialContext(context.Context, string, string) (net.Conn, error)
	} = &net.Dialer{}
	kind := "plain TCP"
	if at.Secure {
		dialer, kind = &tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}, "TLS"
	}
	conn, err := dialer.DialContext(ctx, "tcp", at.String())
	if err == nil {
		conn.Close() //nolint:errcheck // nothing was sent
		return well("%s to %s", kind, at)
	}
	unknown, name := new(x509.UnknownAuthorityError), new(x509.HostnameError)
	if errors.As(err, unknown) || errors.As(err, name) {
		return ill(err.Error(), "something else answers in the service's place, such as a proxy that opens TLS; let it pass this host, or trust its authority with SSL_CERT_FILE")
	}
	allow := map[string]string{
		"vault":     "az keyvault network-rule add --ip-address ADDRESS",
		"namespace": "az servicebus namespace network-rule-set ip-rule add --ip-rule ip-address=ADDRESS action=Allow",
	}[what]
	return ill(err.Error(), "open this network's way out to "+at.String()+", and the service's firewall with: "+allow)
}

// mostSkew is how wrong a clock may be before tokens and dates of keys suffer.
const mostSkew = time.Minute

// clock compares the vault's clock with ours. It asks without a token.
func (v *visit) clock(ctx context.Context) verdict {
	begin := time.Now()
	greeting, err := v.vault.Greet(ctx, v.VaultURL)
	if err != nil {
		e := signer.AsError(err)
		detail, cure := remedy(e.Message)
		return ill(detail+": "+e.Error()[len(e.Message):], cure)
	}
	v.chain.scope, v.chain.tenant = greeting.Scope, greeting.Tenant
	if greeting.Date.IsZero() {
		return skip("the vault does not tell the time")
	}
	return skewed(begin.Add(time.Since(begin) / 2).Sub(greeting.Date))
}

func skewed(skew time.Duration) verdict {
	if skew.Abs() <= mostSkew {
		return well("it differs by less than %s", mostSkew)
	}
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	return warn("this machine's clock is "+skew.Abs().Round(time.Second).String()+" "+way+" the vault's", "set it by NTP: tokens and the dates of keys depend on it")
}
