package policy

import _ "embed"

//go:embed policy.schema.json
var schemaText string

//go:embed example.yaml
var exampleText string

// Schema returns the JSON Schema (draft 2020-12) of a file. Each call returns
// a copy. What one part of a file says of another, only Parse checks.
func Schema() []byte { return []byte(schemaText) }

// Example returns a file with comments, for people to begin with. Each call
// returns a copy.
func Example() []byte { return []byte(exampleText) }
