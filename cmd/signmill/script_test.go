package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"signmill": main})
}

// TestScripts tells the command line as scripts; see testdata/script.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"await":     await,
			"awaittext": awaitText,
			"loadenv":   loadEnv,
			"files":     makeFiles,
			"page":      getPage,
		},
	})
}

// exits runs a command and compares its exit code: exits CODE COMMAND ARG...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var failed *exec.ExitError
		if !errors.As(err, &failed) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: got exit code %d, want %d\n%s", strings.Join(args[1:], " "), got, want, ts.ReadFile("stderr"))
	}
}

// awaitFor bounds await. What does not come at all is late; a busy machine is not.
const awaitFor = 5 * time.Minute

// await waits until a file is there: await FILE
func await(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, args[0], func() bool { return files.Exists(ts.MkAbs(args[0])) })
}

// awaitText waits until a file holds a text: awaittext FILE TEXT
func awaitText(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, args[1], func() bool { return strings.Contains(ts.ReadFile(args[0]), args[1]) })
}

// poll waits for something to happen in another process.
func poll(ts *testscript.TestScript, what string, happened func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(awaitFor)
	for !happened() {
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("%s did not appear within %s", what, awaitFor)
		}
	}
}

// loadEnv takes over the settings that local --env-file wrote: loadenv FILE
func loadEnv(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		pair := strings.TrimPrefix(strings.TrimSpace(line), "export ")
		name, value, _ := strings.Cut(pair, "=")
		ts.Setenv(name, strings.Trim(value, "'"))
	}
}

// getPage prints what is on the status page that a log names: page LOG PATH
func getPage(ts *testscript.TestScript, _ bool, args []string) {
	_, rest, _ := strings.Cut(ts.ReadFile(args[0]), "status of the worker on ")
	address, _, _ := strings.Cut(rest, "/\n")
	answer, err := http.Get(address + args[1])
	ts.Check(err)
	defer answer.Body.Close()
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// makeFiles makes small files that differ: files DIR COUNT
func makeFiles(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
	for i := range count {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+"/"+strconv.Itoa(i)+".txt"), []byte("document "+strconv.Itoa(i)), 0o644))
	}
}
