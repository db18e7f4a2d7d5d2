package main

import "strings"

// strict takes a schema of Kubernetes apart and returns it as a JSON Schema
// that allows nothing that it does not name, without texts for people.
func strict(node any) any {
	switch n := node.(type) {
	case []any:
		for i := range n {
			n[i] = strict(n[i])
		}
	case schema:
		return strictObject(n)
	}
	return node
}

func strictObject(n schema) schema {
	if n["x-kubernetes-int-or-string"] == true || n["format"] == "int-or-string" {
		return schema{"type": []any{"integer", "string"}}
	}
	open := n["x-kubernetes-preserve-unknown-fields"] == true
	for name, value := range n {
		switch {
		case name == "properties":
			for field, inner := range value.(schema) {
				value.(schema)[field] = strict(inner)
			}
		case name == "description" && isText(value), name == "default", name == "format", strings.HasPrefix(name, "x-"):
			delete(n, name)
		default:
			n[name] = strict(value)
		}
	}
	if n["nullable"] == true {
		n["type"] = []any{n["type"], "null"}
	}
	delete(n, "nullable")
	if _, named := n["properties"]; named && n["additionalProperties"] == nil && !open {
		n["additionalProperties"] = false
	}
	return n
}

func isText(v any) bool { _, ok := v.(string); return ok }
