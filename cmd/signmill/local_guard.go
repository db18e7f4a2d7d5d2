package main

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/signmill/signmill/signer"
)

// guardLocal refuses local mode where Azure settings are present: a pipeline
// that means the real vault must not sign with throw-away keys. Each setting
// in despite was looked at by a person.
func guardLocal(env map[string]string, despite []string) error {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if meansAzure(name, env[name]) && !slices.Contains(despite, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return usagef("local mode is refused because the environment has Azure settings: %s\n"+
		"its keys are made anew at each start and are worth nothing; unset them, or go on with --despite %s",
		strings.Join(names, ", "), strings.Join(names, ","))
}

// meansAzure reports whether a variable points at the cloud.
func meansAzure(name, value string) bool {
	switch name {
	case "SIGNMILL_NAMESPACE":
		return true
	case "SIGNMILL_VAULT", "IDENTITY_ENDPOINT", "MSI_ENDPOINT":
		return !isLoopback(value)
	case "SIGNMILL_CONNECTION_STRING", "SERVICEBUS_CONNECTION_STRING":
		return !strings.Contains(strings.ToLower(value), "usedevelopmentemulator=true")
	}
	return strings.HasPrefix(name, "AZURE_")
}

// isLoopback reports whether a URL leads to this machine.
func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	return signer.Loopback(strings.ToLower(u.Hostname()))
}
