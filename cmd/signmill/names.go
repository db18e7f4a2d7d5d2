package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// oneLine keeps a file's name from posing as another line, as a command to the
// terminal, or as another name. Where names are shown to people they go through
// it; JSON has escapes of its own.
func oneLine(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, misleads) {
		return strconv.Quote(name)
	}
	return name
}

// misleads reports whether a character does something else than appear.
func misleads(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// named returns an error of package os with the names in it fit to be shown.
func named(err error) error {
	switch e := err.(type) { //nolint:errorlint // what is wrapped has its text already
	case *fs.PathError:
		return &fs.PathError{Op: e.Op, Path: oneLine(e.Path), Err: e.Err}
	case *os.LinkError:
		return &os.LinkError{Op: e.Op, Old: oneLine(e.Old), New: oneLine(e.New), Err: e.Err}
	}
	return err
}

// paragraph is the last defence of a message: only its first line begins at
// the margin, and nothing in it commands the terminal.
func paragraph(err error) string {
	var b strings.Builder
	for i, line := range strings.Split(err.Error(), "\n") {
		if i > 0 && !strings.HasPrefix(line, " ") {
			line = "  " + line
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, r := range line {
			if misleads(r) && r != '\t' {
				b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
			} else {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// exists reports whether there is anything at path. Below a file there is not.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
}
