package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// confirm lets a person at a terminal type the key's name before something is
// destroyed. Elsewhere nobody can be asked, and --yes must have said it.
func (o *keysOptions) confirm(yes bool, verb, name, consequence string) error {
	if yes {
		return nil
	}
	in, ok := o.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return usagef("%s %s: %s; nobody can be asked here, so say --yes", verb, name, consequence)
	}
	fmt.Fprintf(o.err, "%s %s in %s: %s.\nType the name of the key to go on: ", verb, name, o.vault, consequence)
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != name {
		return &exit{exitFailure, fmt.Errorf("that is not %s; nothing was done", name)}
	}
	return nil
}
