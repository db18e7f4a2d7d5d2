package display

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, want string }{
		{"report.pdf", "report.pdf"},
		{"sp ace ünï 文書.txt", "sp ace ünï 文書.txt"},
		{`back\slash "quoted"`, `back\slash "quoted"`},
		{"a\nb", `"a\nb"`},
		{"\x1b[2J", `"\x1b[2J"`},
		{"exe\u202efdp", `"exe\u202efdp"`},
		{"a\u2028b", `"a\u2028b"`},
		{"\x9b2J", `"\x9b2J"`},
		{"\u009b2J", `"\u009b2J"`},
	}
	for _, tt := range tests {
		if got := OneLine(tt.name); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	_, err := os.Open(filepath.Join("none", "a\nb"))
	got := Error(err)
	if want := `open "none/a\nb": no such file or directory`; filepath.Separator == '/' && got.Error() != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(got, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if Error(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestParagraph(t *testing.T) {
	t.Parallel()
	got := Paragraph(errors.New("two things:\n  a\nsignmill: all is well\x1b[2J"))
	if want := "two things:\n  a\n  signmill: all is well\\x1b[2J"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
