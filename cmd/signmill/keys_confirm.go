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
	if !o.isPerson() {
		return usagef("%s %s: %s; nobody can be asked here, so say --yes", verb, name, consequence)
	}
	question := fmt.Sprintf("%s %s in %s: %s.\nType the name of the key to go on: ", verb, name, o.vault, consequence)
	return o.typed(question, name, "nothing was done")
}

// isPerson reports whether standard input is a terminal.
func (s streams) isPerson() bool {
	in, ok := s.in.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// typed asks for a word, and fails when something else is typed. Otherwise says
// what became of it.
func (s streams) typed(question, word, otherwise string) error {
	fmt.Fprint(s.err, question)
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != word {
		return &exit{exitFailure, fmt.Errorf("that is not %s; %s", word, otherwise)}
	}
	return nil
}
