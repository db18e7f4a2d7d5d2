package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
)

// setting is one environment variable that leads clients to a stack.
type setting struct{ name, value string }

// newSettings writes the servers' authorities into dir and returns the settings.
func newSettings(dir string, st *stack, at served) ([]setting, error) {
	authority := filepath.Join(dir, "ca.pem")
	if err := files.Write(authority, st.certificates(), files.ForAll); err != nil {
		return nil, err
	}
	vault := at.vault.Addr().String()
	return []setting{
		{envPrefix + "CONNECTION_STRING", emulator(at.bus.Addr().String())},
		{envPrefix + "VAULT", at.vaultURL()},
		{"SSL_CERT_FILE", authority},
		{"IDENTITY_ENDPOINT", "http://" + vault + "/msi/token"},
		{"IDENTITY_HEADER", "local"},
	}, nil
}

// banner says where the servers are, and what they are not.
func banner(at served) string {
	text := fmt.Sprintf("signmill: broker on %s, its management on http://%s, vault on %s\n", at.bus.Addr(), at.admin.Addr(), at.vaultURL())
	if at.page != "" {
		text += fmt.Sprintf("signmill: status of the worker on http://%s/\n", at.page)
	}
	return text + "signmill: keys are fresh, state is lost on exit"
}

// announce prints the settings once the servers can be reached.
func (o localOptions) announce(s streams, at served, settings []setting) error {
	if _, err := fmt.Fprintln(s.err, banner(at)); err != nil {
		return err
	}
	if o.envFile != "" {
		if err := files.Write(o.envFile, []byte(exportLines(settings)), files.ForOwner); err != nil {
			return err
		}
	}
	if o.json {
		object := map[string]string{}
		for _, v := range settings {
			object[v.name] = v.value
		}
		return json.NewEncoder(s.out).Encode(object)
	}
	_, err := io.WriteString(s.out, exportLines(settings))
	return err
}

// exportLines writes settings for a POSIX shell.
func exportLines(settings []setting) string {
	var b strings.Builder
	for _, v := range settings {
		fmt.Fprintf(&b, "export %s='%s'\n", v.name, strings.ReplaceAll(v.value, "'", `'\''`))
	}
	return b.String()
}
