package files

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteSecret(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "new", "secret")
	write := func(text string, force bool) error { return WriteSecret(name, []byte(text), force) }
	if err := write("one", false); err != nil {
		t.Fatal(err)
	}
	if err := write("two", false); err == nil {
		t.Error("a file was replaced without force")
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "one" {
		t.Errorf("it holds %q, %v", text, err)
	}
	if err := write("three", true); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if text, _ := os.ReadFile(name); err != nil || string(text) != "three" || info.Mode().Perm() != ForOwner {
		t.Errorf("it holds %q with mode %v, %v", text, info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(name), tempPrefix+"*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}
