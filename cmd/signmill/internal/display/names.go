package display

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine keeps a file's name from posing as another line, as a command to the
// terminal, or as another name. Where names are shown to people they go through
// it; JSON has escapes of its own.
func OneLine(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, Misleads) {
		return strconv.Quote(name)
	}
	return name
}

// Misleads reports whether a character does something else than appear.
func Misleads(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Error returns an error of package os with the names in it fit to be shown.
func Error(err error) error {
	switch e := err.(type) { //nolint:errorlint // what is wrapped has its text already
	case *fs.PathError:
		return &fs.PathError{Op: e.Op, Path: OneLine(e.Path), Err: e.Err}
	case *os.LinkError:
		return &os.LinkError{Op: e.Op, Old: OneLine(e.Old), New: OneLine(e.New), Err: e.Err}
	}
	return err
}

// Paragraph is the last defence of a message: only its first line begins at
// the margin, and nothing in it commands the terminal.
func Paragraph(err error) string {
	var b strings.Builder
	for i, line := range strings.Split(err.Error(), "\n") {
		if i > 0 && !strings.HasPrefix(line, " ") {
			line = "  " + line
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, r := range line {
			if Misleads(r) && r != '\t' {
				b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
			} else {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
