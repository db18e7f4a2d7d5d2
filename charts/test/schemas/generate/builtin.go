package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// quantity is a type that the swagger calls text, and that a number may be, too.
const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"

// writeBuiltin writes a schema for each of builtin, with all that it refers to.
func writeBuiltin(swagger string) error {
	data, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var document struct{ Definitions map[string]schema }
	if err := json.Unmarshal(data, &document); err != nil {
		return err
	}
	kinds := map[string]schema{}
	for _, name := range builtin {
		all, _ := document.Definitions[name]["x-kubernetes-group-version-kind"].([]any)
		if len(all) != 1 {
			return fmt.Errorf("%s is not in the swagger, or is several kinds", name)
		}
		kinds[name] = all[0].(schema)
	}
	for name := range document.Definitions {
		document.Definitions[name] = strictObject(document.Definitions[name])
	}
	document.Definitions[quantity] = schema{"type": []any{"string", "number"}}
	for _, name := range builtin {
		used := map[string]schema{}
		collect(document.Definitions, name, used)
		k := kinds[name]
		err := write(k["group"].(string), k["version"].(string), k["kind"].(string), schema{
			"$ref": "#/definitions/" + name, "definitions": used,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// collect puts the definition of a name into used, and all that it refers to.
func collect(all map[string]schema, name string, used map[string]schema) {
	if _, done := used[name]; done {
		return
	}
	used[name] = all[name]
	visit(all[name], func(reference string) { collect(all, strings.TrimPrefix(reference, "#/definitions/"), used) })
}

// visit tells of each reference.
func visit(node any, tell func(reference string)) {
	switch n := node.(type) {
	case []any:
		for _, inner := range n {
			visit(inner, tell)
		}
	case schema:
		for name, inner := range n {
			if text, ok := inner.(string); ok && name == "$ref" {
				tell(text)
				continue
			}
			visit(inner, tell)
		}
	}
}
