package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// helmDir has what the Helm chart makes of its sets of values, and what it asks
// of Prometheus. The chart's own tests hold these files to the chart.
var helmDir = filepath.Join("..", "..", "charts", "test")

// helmObject is an object that the chart makes, as far as is looked at here.
type helmObject struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct{ Containers []helmContainer }
		}
	}
}

type helmContainer struct {
	Args []string
	Env  []struct{ Name string }
}

// helmWorkers returns the container of each set of values, and its policy; "":
// the policy is not the chart's.
func helmWorkers(t *testing.T) (workers map[string]helmContainer, policies map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(helmDir, "testdata", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files and error %v", len(files), err)
	}
	workers, policies = map[string]helmContainer{}, map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		for _, o := range helmObjects(t, file) {
			if o.Kind == "Deployment" {
				workers[name] = o.Spec.Template.Spec.Containers[0]
			}
			if text, ok := o.Data["policy.yaml"]; ok {
				policies[name] = text
			}
		}
	}
	return workers, policies
}

func helmObjects(t *testing.T, file string) (all []helmObject) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for d := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var o helmObject
		switch err := d.Decode(&o); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, o)
	}
}

// TestHelmArguments: the worker takes what the chart gives it, all together, and
// reads each variable that begins as its own do.
func TestHelmArguments(t *testing.T) {
	t.Parallel()
	workers, policies := helmWorkers(t)
	if len(workers) == 0 || len(policies) == 0 {
		t.Fatalf("got %d workers and %d policies", len(workers), len(policies))
	}
	for name, c := range workers {
		if err := takeHelmArguments(t, c.Args, policies[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		env := map[string]string{}
		for _, e := range c.Env {
			env[e.Name] = "set"
		}
		var warnings strings.Builder
		if warnUnknown(&warnings, newRoot(streams{}), env); warnings.Len() != 0 {
			t.Errorf("%s: %s", name, warnings.String())
		}
	}
}

// takeHelmArguments reads arguments as the worker does before it connects, with
// a policy in place of the mounted one.
func takeHelmArguments(t *testing.T, args []string, policy string) error {
	t.Helper()
	cmd, rest, err := newRoot(streams{}).Find(args)
	if err != nil || cmd.Name() != "worker" {
		t.Fatalf("%v is no call of the worker: %v", args, err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	var o workerOptions
	again := &cobra.Command{Use: "worker"} // with options to look at
	o.azure.add(again)
	f := again.Flags()
	o.add(f)
	f.ParseErrorsAllowlist.UnknownFlags = true // those of the root, which cmd has
	if err := f.Parse(rest); err != nil {
		return err
	}
	if err := errors.Join(o.exclude(f), o.checkTimes()); err != nil {
		return err
	}
	if _, err := parseLanes(o.lanes); err != nil || policy == "" {
		return err
	}
	o.policy = filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(o.policy, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = o.policyFile(false).read()
	return err
}

// TestHelmAdvice: alerts tell people to run commands that there are.
func TestHelmAdvice(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(helmDir, "testdata", "everything.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, line := range strings.Split(string(data), "\n") {
		advice, ok := strings.CutPrefix(strings.TrimSpace(line), "runbook: ")
		if !ok {
			continue
		}
		for _, m := range regexp.MustCompile(`signmill ([a-z]+ [a-z]+)`).FindAllStringSubmatch(advice, -1) {
			found++
			if cmd, _, err := newRoot(streams{}).Find(strings.Fields(m[1])); err != nil || cmd.HasSubCommands() {
				t.Errorf("there is no command %s: %s", m[1], advice)
			}
		}
	}
	if found < 5 {
		t.Errorf("got %d commands: most were not found", found)
	}
}
