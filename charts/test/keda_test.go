package test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"
)

// local runs the servers of signmill local, and returns their settings.
func local(t *testing.T) map[string]string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "signmill")
	build := exec.Command("go", "build", "-o", program, "./cmd/signmill")
	build.Dir = "../.."
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
	return settings
}

// manager returns a client of the broker's management as KEDA makes it: over
// HTTPS, with nothing but a connection string, a time limit and authorities.
func manager(t *testing.T, settings map[string]string) *admin.Client {
	t.Helper()
	pem, err := os.ReadFile(settings["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	o := &admin.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	}}
	connection := strings.ReplaceAll(settings["SIGNMILL_CONNECTION_STRING"], ";UseDevelopmentEmulator=true", "")
	c, err := admin.NewClientFromConnectionString(connection, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAutoscalerReadsTheLocalQueue: the call of KEDA 2.21, with the version of
// the SDK that it is built with, sees what waits in the queue of signmill local.
func TestAutoscalerReadsTheLocalQueue(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	settings := local(t)
	bus, err := azservicebus.NewClientFromConnectionString(settings["SIGNMILL_CONNECTION_STRING"], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close(ctx) //nolint:errcheck // it is over
	sender, err := bus.NewSender("jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	m := manager(t, settings)
	for want := range int32(3) {
		got, err := m.GetQueueRuntimeProperties(ctx, "jobs", &admin.GetQueueRuntimePropertiesOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got == nil || got.ActiveMessageCount != want {
			t.Fatalf("got %+v, want %d messages", got, want)
		}
		if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("{}")}, nil); err != nil {
			t.Fatal(err)
		}
	}
}
