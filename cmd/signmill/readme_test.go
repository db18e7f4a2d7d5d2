package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signmill/signmill/cmd/signmill/internal/status"
	"github.com/signmill/signmill/schema"
)

var update = flag.Bool("update", false, "write the tables into the README")

// TestReadmeTables holds the README's tables of flags and of commands to the
// commands: help and README have one source. Run it with -update after a change.
func TestReadmeTables(t *testing.T) {
	name := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]func(*testing.T, string) string{"flags": flagTable, "commands": commandTable, "operations": operationTable, "codes": codeTable, "metrics": metricTable, "paths": pathTable}
	section := regexp.MustCompile(`(?s)<!-- (flags|commands|operations|codes|metrics|paths): ([\w ]+) -->\n.*?<!-- end -->`)
	found := map[string]int{}
	want := section.ReplaceAllStringFunc(string(text), func(old string) string {
		match := section.FindStringSubmatch(old)
		kind, command := match[1], match[2]
		found[kind]++
		return "<!-- " + kind + ": " + command + " -->\n" + tables[kind](t, command) + "<!-- end -->"
	})
	if found["metrics"] != 1 || found["paths"] != 1 || found["flags"] != 4 || found["commands"] != 2 || found["operations"] != 1 || found["codes"] != 1 {
		t.Fatalf("the README has %v tables, want 4 of flags, 2 of commands, 1 of operations, codes, metrics and paths", found)
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the README's tables are out of date; run go test ./cmd/signmill -run ReadmeTables -update")
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestReadmeMessages holds the README's two messages to the contract.
func TestReadmeMessages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("the README has %d JSON blocks, want a job and a result", len(blocks))
	}
	if _, err := schema.Decode(blocks[0][1], schema.Limits{}); err != nil {
		t.Errorf("job: %v", err)
	}
	if _, err := schema.DecodeResult(blocks[1][1]); err != nil {
		t.Errorf("result: %v", err)
	}
}

// commandTable renders the commands below one as Markdown.
func commandTable(t *testing.T, command string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| command | what it does |\n|---|---|\n")
	var add func(cmd *cobra.Command)
	add = func(cmd *cobra.Command) {
		for _, below := range cmd.Commands() {
			if below.HasSubCommands() {
				add(below)
				continue
			}
			use := strings.TrimSuffix(below.UseLine(), " [flags]")
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.TrimPrefix(use, "signmill "), below.Short)
		}
	}
	add(find(t, command))
	return b.String()
}

// find returns a command of the root.
func find(t *testing.T, command string) *cobra.Command {
	t.Helper()
	cmd, _, err := newRoot(streams{}).Find(strings.Fields(command))
	if err != nil || cmd.CommandPath() != "signmill "+command {
		t.Fatalf("no command %q: %v", command, err)
	}
	return cmd
}

// flagTable renders the flags of a command as Markdown.
func flagTable(t *testing.T, command string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	find(t, command).LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		value := f.DefValue
		if value == "[]" || value == "false" {
			value = ""
		}
		_, usage := pflag.UnquoteUsage(f)
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", f.Name, value, strings.ReplaceAll(usage, "|", `\|`))
	})
	return b.String()
}

// pathTable renders what --health serves as Markdown.
func pathTable(*testing.T, string) string {
	var b strings.Builder
	b.WriteString("| path | what it tells |\n|---|---|\n")
	for _, p := range status.Paths() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", p.Path, p.About)
	}
	return b.String()
}

// metricTable renders what a worker measures as Markdown.
func metricTable(*testing.T, string) string {
	var b strings.Builder
	b.WriteString("| metric | kind | unit | what it tells | by |\n|---|---|---|---|---|\n")
	for _, row := range allMetrics() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", row.Name, row.Kind, row.Unit, row.About, strings.Join(row.Attributes, ", "))
	}
	return b.String()
}
