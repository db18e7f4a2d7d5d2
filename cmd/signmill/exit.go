package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// The exit codes besides 0.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitProblems    = 3
	exitInterrupted = 130
)

// exit is an error with the exit code that it leads to.
type exit struct {
	code int
	err  error // nil: the command has already said everything
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usageError marks err as the caller's mistake; nil stays nil.
func usageError(err error) error {
	if err == nil {
		return nil
	}
	return &exit{code: exitUsage, err: err}
}

// usagef is usageError on a new error.
func usagef(format string, args ...any) error { return usageError(fmt.Errorf(format, args...)) }

// report shows err to people and returns the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return 0
	}
	code, shown := exitFailure, err
	var e *exit
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	} else if strings.HasPrefix(err.Error(), "unknown command") {
		code = exitUsage // cobra has no type for it
	}
	fmt.Fprintln(w, "signmill: "+display.Paragraph(shown))
	if code == exitUsage {
		fmt.Fprintln(w, "signmill: --help explains the commands and flags")
	}
	return code
}
