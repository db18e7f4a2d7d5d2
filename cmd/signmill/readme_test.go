package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/signmill/signmill/schema"
)

var update = flag.Bool("update", false, "write the tables of flags into the README")

// TestReadmeFlags holds the README's tables of flags to the commands: help and
// README have one source. Run it with -update after a change of flags.
func TestReadmeFlags(t *testing.T) {
	name := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)<!-- flags: (\w+) -->\n.*?<!-- end -->`)
	found := 0
	want := section.ReplaceAllStringFunc(string(text), func(old string) string {
		found++
		command := section.FindStringSubmatch(old)[1]
		return "<!-- flags: " + command + " -->\n" + flagTable(t, command) + "<!-- end -->"
	})
	if found != 2 {
		t.Fatalf("the README has %d tables of flags, want 2", found)
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the README's tables of flags are out of date; run go test ./cmd/signmill -run ReadmeFlags -update")
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

// flagTable renders the flags of a command as Markdown.
func flagTable(t *testing.T, command string) string {
	t.Helper()
	cmd, _, err := newRoot(streams{}).Find([]string{command})
	if err != nil || cmd.Name() != command {
		t.Fatalf("no command %q: %v", command, err)
	}
	var b strings.Builder
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
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
