package main

import "github.com/signmill/signmill/cmd/signmill/internal/display"

// intent is what a command would send, for --dry-run. It holds no secret.
type intent struct {
	Verb  string // such as create
	What  string // the key, or the file
	facts []fact
}

type fact struct {
	name string
	text string
}

// add says one more thing, unless there is nothing to say.
func (p *intent) add(name, text string) {
	if text != "" {
		p.facts = append(p.facts, fact{name, text})
	}
}

// dry says what would be sent.
func (o *keysOptions) dry(p intent) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.json {
		object := map[string]string{"dryRun": p.Verb, "vault": o.vault, "subject": p.What}
		for _, f := range p.facts {
			object[f.name] = f.text
		}
		return jsonLine(o.out, object)
	}
	t := display.NewTable(o.out)
	t.Fact("would "+p.Verb, p.What)
	t.Fact("vault", o.vault)
	for _, f := range p.facts {
		t.Fact(f.name, f.text)
	}
	return t.Close()
}
