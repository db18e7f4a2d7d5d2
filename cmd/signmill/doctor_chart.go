package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// The results of a check.
const (
	resultOK      = "ok"
	resultWarning = "warning"
	resultProblem = "problem"
	resultSkipped = "skipped"
)

// verdict is what a check found.
type verdict struct{ result, detail, cure string }

func well(format string, args ...any) verdict {
	return verdict{resultOK, fmt.Sprintf(format, args...), ""}
}

func skip(format string, args ...any) verdict {
	return verdict{resultSkipped, fmt.Sprintf(format, args...), ""}
}

func ill(detail, cure string) verdict { return verdict{resultProblem, detail, cure} }

func warn(detail, cure string) verdict { return verdict{resultWarning, detail, cure} }

// chart takes the verdicts down, one line for each, as they come.
type chart struct {
	out      io.Writer
	json     bool
	problems int
	overdue  bool  // the time is up, and that was said
	fault    error // of out
}

// chartLine is a verdict in JSON.
type chartLine struct {
	Check   string `json:"check"`
	Subject string `json:"subject"`
	Result  string `json:"result"` // ok, warning, problem or skipped
	Detail  string `json:"detail"`
	Cure    string `json:"cure,omitempty"`
}

func (c *chart) note(check, subject string, v verdict) {
	if v.result == resultProblem {
		c.problems++
	}
	line := chartLine{check, plain(subject), v.result, plain(v.detail), plain(v.cure)}
	var err error
	if c.json {
		err = jsonLine(c.out, line)
	} else {
		_, err = io.WriteString(c.out, line.text())
	}
	if c.fault == nil {
		c.fault = err
	}
}

// text is a verdict for people.
func (l chartLine) text() string {
	mark := map[string]string{resultOK: "✓", resultWarning: "!", resultProblem: "✗", resultSkipped: "-"}[l.Result]
	text := fmt.Sprintf("%s %s %s: %s\n", mark, l.Subject, l.Check, l.Detail)
	if l.Cure != "" {
		text += "    cure: " + l.Cure + "\n"
	}
	return text
}

// late is the verdict on checks for which no time is left. The first of them
// is a problem: not all is known to be well.
func (c *chart) late() verdict {
	if c.overdue {
		return skip("no time was left")
	}
	c.overdue = true
	return ill("the time was up before all checks were made", "give more with --timeout, after mending what took so long")
}

// close returns the error that leads to the exit code.
func (c *chart) close() error {
	if c.fault == nil && c.problems > 0 {
		return &exit{code: exitProblems}
	}
	return c.fault
}

// plain keeps what others said on one line, and from commanding the terminal.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if display.Misleads(r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// remedy splits a message of the kind "what is wrong; what to do".
func remedy(message string) (detail, cure string) {
	detail, cure, _ = strings.Cut(message, "; ")
	return detail, cure
}
