package display

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether a person looks at w and it can move its cursor.
func IsTerminal(w io.Writer) bool {
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
