package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// isTerminal reports whether a person looks at w and it can move its cursor.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// narrowest is the least number of columns in which a bar fits on its line.
const narrowest = 60

// isRoomy reports whether a terminal has place for a bar.
func isRoomy(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	return err == nil && columns >= narrowest
}

// newLog returns the log of a command: text on a terminal, else JSON. Level is
// where it begins unless --log-level says otherwise.
func newLog(cmd *cobra.Command, level slog.Level) (*slog.Logger, error) {
	if asked, _ := cmd.Flags().GetString("log-level"); asked != "" {
		if err := level.UnmarshalText([]byte(asked)); err != nil {
			return nil, usagef("--log-level %q: use debug, info, warn or error", asked)
		}
	}
	options := &slog.HandlerOptions{Level: level}
	if isTerminal(cmd.ErrOrStderr()) {
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), options)), nil
	}
	return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), options)), nil
}
