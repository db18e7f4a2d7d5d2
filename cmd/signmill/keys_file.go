package main

import (
	"fmt"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"os"
)

// free refuses to overwrite, unless that is asked for.
func free(name string, force bool) error {
	if !force && exists(name) {
		return fmt.Errorf("%s exists: --force overwrites it", display.OneLine(name))
	}
	return nil
}

// writeSecret writes a whole file or nothing, for the owner alone. Without
// force it never replaces a file, not even one that has just come to be, where
// the file system knows links.
func writeSecret(name string, content []byte, force bool) error {
	p, err := prepareFile(name, content, forOwner)
	if err != nil {
		return err
	}
	if !force {
		defer p.discard()
		if err := os.Link(p.temp, p.name); err == nil {
			return nil
		}
		// The file is there, or the file system knows no links.
		if err := free(name, false); err != nil {
			return err
		}
	}
	return p.publish()
}
