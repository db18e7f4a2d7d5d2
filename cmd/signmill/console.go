package main

import (
	"log/slog"

	"github.com/spf13/cobra"

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
