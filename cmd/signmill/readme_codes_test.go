package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
)

// codeTable renders the vocabulary of failures as Markdown. The meanings are
// the comments beside the constants.
func codeTable(t *testing.T, _ string) string {
	t.Helper()
	meanings := codeComments(t)
	var b strings.Builder
	b.WriteString("| code | dead letter | meaning |\n|---|---|---|\n")
	for _, code := range schema.Codes() {
		dead := ""
		if slices.Contains(schema.DeadLetterReasons(), code) {
			dead = "yes"
		}
		if meanings[code] == "" {
			t.Errorf("code %s has no comment", code)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", code, dead, meanings[code])
	}
	return b.String()
}

// codeComments reads the line comments of the codes.
func codeComments(t *testing.T) map[schema.Code]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "schema", "code.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[schema.Code]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			if value, ok := spec.Values[0].(*ast.BasicLit); ok {
				code, _ := strconv.Unquote(value.Value)
				comments[schema.Code(code)] = strings.TrimSpace(spec.Comment.Text())
			}
		}
		return true
	})
	return comments
}
