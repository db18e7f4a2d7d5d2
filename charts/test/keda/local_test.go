package keda

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	kedautil "github.com/kedacore/keda/v2/pkg/util"
)

// local runs the servers of signmill local, whose authority KEDA trusts from
// then on, and returns their settings.
func local(t *testing.T) map[string]string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "signmill")
	build := exec.Command("go", "build", "-o", program, "./cmd/signmill")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := exec.Command(program, "local", "--bus", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--vault", "127.0.0.1:0", "--json")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Signal(os.Interrupt); c.Wait() }) //nolint:errcheck // it is over
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var settings map[string]string
	if err := json.Unmarshal(line, &settings); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	trust(t, settings["SSL_CERT_FILE"])
	return settings
}

// trust gives KEDA an authority, as its operator's flag --ca-dir does.
func trust(t *testing.T, file string) {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), pem, 0o600); err != nil {
		t.Fatal(err)
	}
	kedautil.SetCACertDirs([]string{dir})
}

// overHTTPS returns the connection string as KEDA needs it: its client of the
// broker's management knows no emulator.
func overHTTPS(settings map[string]string) string {
	return strings.ReplaceAll(settings["SIGNMILL_CONNECTION_STRING"], ";UseDevelopmentEmulator=true", "")
}
