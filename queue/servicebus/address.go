package servicebus

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Address is where a namespace is reached.
type Address struct {
	Host   string // name or IP address, without a port
	Port   string // 5671, unless the connection string names another or is an emulator's
	Secure bool   // TLS from the first byte
}

// String is host and port, as dialers take them.
func (a Address) String() string { return net.JoinHostPort(a.Host, a.Port) }

// Address returns where c leads, from Namespace or ConnectionString. It asks
// nobody and does not know Dial. It fails when the connection string has no
// endpoint; the error holds no part of it.
func (c Config) Address() (Address, error) {
	endpoint, emulated := "sb://"+c.Namespace, false
	if c.ConnectionString != "" {
		endpoint = ""
		for part := range strings.SplitSeq(c.ConnectionString, ";") {
			switch name, value, _ := strings.Cut(part, "="); strings.ToLower(name) {
			case "endpoint":
				endpoint = value
			case "usedevelopmentemulator":
				emulated, _ = strconv.ParseBool(value)
			}
		}
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" {
		return Address{}, errors.New("the connection string has no endpoint such as Endpoint=sb://example.servicebus.windows.net/")
	}
	a := Address{Host: u.Hostname(), Port: u.Port(), Secure: !emulated}
	if a.Port == "" {
		a.Port = map[bool]string{true: "5671", false: "5672"}[a.Secure]
	}
	return a, nil
}
