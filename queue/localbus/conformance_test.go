//go:build conformance

package localbus_test

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/localbus"
)

const sdk = "github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

// Reasons for leaving a test out.
const (
	noTopics = "topics, subscriptions and rules are not offered"
	noEntra  = "asks the public identity provider"
)

// skips are the SDK's own live tests that are not run, by package and name,
// with the reason. All others have to pass.
var skips = map[string]map[string]string{
	".": {
		"TestReceiverSendFiveReceiveFive_Subscription":          noTopics,
		"TestSessionReceiverSendFiveReceiveFive_Subscription":   noTopics,
		"TestSessionReceiver_subscription":                      noTopics,
		"TestClientPropagatesRetryOptionsForSessions":           noTopics,
		"TestAdminClient_TopicAndSubscriptionRuntimeProperties": noTopics,
		"TestReceiveWithDelay":                                  "needs the SDK's fault injector, a program of its own",
		"TestClientUnauthorizedCreds/invalid_identity_creds":    noEntra,
		"TestReceiverUnauthorizedCreds/invalid_identity_creds":  noEntra,
	},
	"./internal": {},
	"./admin": {
		"TestATOMEntitiesHaveNames":                                                       noTopics,
		"TestAdminClient_CreateRules":                                                     noTopics,
		"TestAdminClient_Forwarding":                                                      noTopics,
		"TestAdminClient_GetDefaultRule":                                                  noTopics,
		"TestAdminClient_LackPermissions_Queue":                                           "makes a topic first",
		"TestAdminClient_LackPermissions_Subscription":                                    noTopics,
		"TestAdminClient_LackPermissions_Topic":                                           noTopics,
		"TestAdminClient_ListRulesWithOnlyDefault":                                        noTopics,
		"TestAdminClient_ListRules_MaxPageSize":                                           noTopics,
		"TestAdminClient_ListSubscriptionRuntimeProperties":                               noTopics,
		"TestAdminClient_ListSubscriptions":                                               noTopics,
		"TestAdminClient_ListTopics":                                                      noTopics,
		"TestAdminClient_ListTopicsRuntimeProperties":                                     noTopics,
		"TestAdminClient_NotFound":                                                        "makes a topic, too",
		"TestAdminClient_TopicAndSubscription_Premium":                                    noTopics,
		"TestAdminClient_TopicAndSubscription_Standard":                                   noTopics,
		"TestAdminClient_TopicAndSubscription_WithActionAndFilterDefaultSubscriptionRule": noTopics,
		"TestAdminClient_TopicAndSubscription_WithActionDefaultSubscriptionRule":          noTopics,
		"TestAdminClient_TopicAndSubscription_WithCustomFilterDefaultSubscriptionRule":    noTopics,
		"TestAdminClient_TopicAndSubscription_WithFalseFilterDefaultSubscriptionRule":     noTopics,
		"TestAdminClient_TopicFilterCounts_Live":                                          noTopics,
		"TestAdminClient_UnknownFilterRoundtrippingWorks":                                 noTopics,
		"TestAdminClient_UpdateSubscription":                                              noTopics,
		"TestAdminClient_UpdateTopic":                                                     noTopics,
	},
}

// TestConformance runs the live tests of the Service Bus SDK, as published,
// against a server on loopback.
func TestConformance(t *testing.T) {
	source := copyModule(t, sdk)
	for pkg, skip := range skips {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			checkSkips(t, source, pkg, skip)
			runLiveTests(t, source, pkg, skip)
		})
	}
}

// copyModule copies a module that go.mod names to where go test may write.
func copyModule(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find %s: %v", module, err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(strings.TrimSpace(string(out)))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkSkips reports skips of tests that do not exist.
func checkSkips(t *testing.T, source, pkg string, skip map[string]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-list", ".", pkg)
	cmd.Dir, cmd.Env = source, append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list tests: %v", err)
	}
	names := strings.Fields(string(out))
	for name := range skip {
		top, sub, _ := strings.Cut(name, "/")
		if !slices.Contains(names, top) || !hasText(t, filepath.Join(source, pkg), strings.ReplaceAll(sub, "_", " ")) {
			t.Errorf("skip of %s: there is no such test", name)
		}
	}
}

// hasText reports whether a test file of a folder holds a text.
func hasText(t *testing.T, dir, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(name string) bool {
		b, err := os.ReadFile(name)
		return err == nil && strings.Contains(string(b), text)
	})
}

// runLiveTests runs one package and compares its results with the table. Many
// of the tests wait by the clock, which a busy machine may spoil, so that those
// that fail get a second chance.
func runLiveTests(t *testing.T, source, pkg string, skip map[string]string) {
	t.Helper()
	results := liveResults(t, source, pkg, skip)
	if results.count("fail") > 0 {
		results.mend(t, liveResults(t, source, pkg, skip))
	}
	results.report(t)
	t.Logf("%s: %d passed, %d failed, %d left out", pkg, results.count("pass"), results.count("fail"), len(skip))
}

func liveResults(t *testing.T, source, pkg string, skip map[string]string) testResults {
	t.Helper()
	args := []string{"test", "-json", "-vet=off", "-count=1", "-timeout=15m", "-skip", skipPattern(skip), pkg}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = source, liveEnvironment(t)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	results := readResults(out)
	if err := cmd.Wait(); err != nil && results.count("fail") == 0 {
		t.Errorf("go test: %v\n%s", err, results.output[""])
	}
	return results
}

// skipPattern makes an argument for -skip. A name with slashes is a subtest.
func skipPattern(skip map[string]string) string {
	patterns := []string{"^$"}
	for name := range skip {
		patterns = append(patterns, "^"+strings.ReplaceAll(name, "/", "$/^")+"$")
	}
	return strings.Join(patterns, "|")
}

// testResults is what go test -json said, by test.
type testResults struct {
	action  map[string]string
	elapsed map[string]float64
	output  map[string]string
}

func readResults(r io.Reader) testResults {
	res := testResults{map[string]string{}, map[string]float64{}, map[string]string{}}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var e struct {
			Action, Test, Output string
			Elapsed              float64
		}
		if json.Unmarshal(in.Bytes(), &e) != nil {
			res.output[""] += in.Text() + "\n"
			continue
		}
		switch e.Action {
		case "pass", "fail", "skip":
			if e.Test != "" {
				res.action[e.Test], res.elapsed[e.Test] = e.Action, e.Elapsed
			}
		case "output", "build-output":
			res.output[e.Test] += e.Output
		}
	}
	return res
}

// count counts top-level tests.
func (r testResults) count(action string) int {
	n := 0
	for name, a := range r.action {
		if a == action && !strings.Contains(name, "/") {
			n++
		}
	}
	return n
}

// mend takes over what did not pass from a second run, and tells what failed
// only once.
func (r testResults) mend(t *testing.T, again testResults) {
	t.Helper()
	for name, action := range again.action {
		if r.action[name] == "pass" {
			continue
		}
		if r.action[name] == "fail" && action == "pass" {
			t.Logf("%s failed at first after %.1f s, and then passed\n%s", name, r.elapsed[name], tail(r.output[name]))
		}
		r.action[name], r.elapsed[name], r.output[name] = action, again.elapsed[name], again.output[name]
	}
}

// report tells of all tests that did not pass, and of the slow ones.
func (r testResults) report(t *testing.T) {
	t.Helper()
	names := slices.SortedFunc(maps.Keys(r.action), func(a, b string) int { return cmp.Compare(r.elapsed[b], r.elapsed[a]) })
	for i, name := range names {
		switch {
		case r.action[name] == "fail":
			t.Errorf("%s failed after %.1f s\n%s", name, r.elapsed[name], tail(r.output[name]))
		case r.action[name] == "skip":
			t.Errorf("%s left itself out\n%s", name, tail(r.output[name]))
		case i < 5 && r.elapsed[name] > 1:
			t.Logf("%s took %.1f s", name, r.elapsed[name])
		}
	}
	if len(names) == 0 {
		t.Errorf("no test ran\n%s", r.output[""])
	}
}

// tail returns the end of a text.
func tail(s string) string { return s[max(0, len(s)-6000):] }

// liveEnvironment starts a server and returns the environment in which the
// SDK's live tests find it.
func liveEnvironment(t *testing.T) []string {
	t.Helper()
	authority, err := localbus.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	host := serveConformance(t, authority)
	key := func(rule string) string {
		return fmt.Sprintf("Endpoint=sb://%s/;SharedAccessKeyName=%s;SharedAccessKey=%s key", host, rule, rule)
	}
	return append(os.Environ(),
		"GOWORK=off",
		"AZURE_RECORD_MODE=live",
		"SSL_CERT_FILE="+roots,
		"SERVICEBUS_ENDPOINT="+host,
		"SERVICEBUS_ENDPOINT_PREMIUM="+host,
		"SERVICEBUS_CONNECTION_STRING="+key("all"),
		"SERVICEBUS_CONNECTION_STRING_PREMIUM="+key("all"),
		"SERVICEBUS_CONNECTION_STRING_NO_MANAGE="+key("nomanage"),
		"SERVICEBUS_CONNECTION_STRING_SEND_ONLY="+key("send"),
		"SERVICEBUS_CONNECTION_STRING_LISTEN_ONLY="+key("listen"),
		"AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential",
		"IDENTITY_ENDPOINT="+serveIdentity(t),
		"IDENTITY_HEADER=anything",
	)
}

// serveConformance starts a server with what the tests expect to find and
// returns its address.
func serveConformance(t *testing.T, authority *localbus.Authority) string {
	t.Helper()
	lock := localbus.QueueProperties{LockDuration: 5 * time.Minute}
	sessions := lock
	sessions.RequiresSession = true
	s := newServer(t, localbus.Config{
		Queues: []localbus.Queue{{Name: "testQueue", QueueProperties: lock}, {Name: "testQueueWithSessions", QueueProperties: sessions}},
		Rules: []localbus.Rule{
			{Name: "all", Key: "all key", Rights: localbus.RightSend | localbus.RightListen | localbus.RightManage},
			{Name: "nomanage", Key: "nomanage key", Rights: localbus.RightSend | localbus.RightListen},
			{Name: "send", Key: "send key", Rights: localbus.RightSend},
			{Name: "listen", Key: "listen key", Rights: localbus.RightListen},
		},
		TLS:    authority.ServerConfig(),
		Faults: localbus.Faults{Delay: time.Millisecond},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}

// serveIdentity stands in for the endpoint that gives managed identities their
// tokens.
func serveIdentity(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		end := time.Now().Add(time.Hour).Unix()
		part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		json.NewEncoder(w).Encode(map[string]string{
			"access_token": part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(fmt.Sprintf(`{"exp":%d}`, end)) + "." + part("signature"),
			"expires_on":   fmt.Sprint(end),
			"resource":     r.URL.Query().Get("resource"),
			"token_type":   "Bearer",
		})
	}))
	t.Cleanup(s.Close)
	return s.URL + "/token"
}
