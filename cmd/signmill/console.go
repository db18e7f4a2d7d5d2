package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// newLog returns the log of a command: text on a terminal, else JSON. Level is
// where it begins unless --log-level says otherwise.
func newLog(cmd *cobra.Command, level slog.Level) (*slog.Logger, error) {
	if asked, _ := cmd.Flags().GetString("log-level"); asked != "" {
		if err := level.UnmarshalText([]byte(asked)); err != nil {
			return nil, usagef("--log-level %q: use debug, info, warn or error", asked)
		}
	}
	options := &slog.HandlerOptions{Level: level}
	if display.IsTerminal(cmd.ErrOrStderr()) {
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), options)), nil
	}
	return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), options)), nil
}

// isPerson reports whether standard input is a terminal.
func (s streams) isPerson() bool {
	in, ok := s.in.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// typed asks for a word, and fails when something else is typed. Otherwise says
// what became of it.
func (s streams) typed(question, word, otherwise string) error {
	fmt.Fprint(s.err, question)
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != word {
		return &exit{exitFailure, fmt.Errorf("that is not %s; %s", word, otherwise)}
	}
	return nil
}

// jsonLine writes one object in one line.
func jsonLine(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }
