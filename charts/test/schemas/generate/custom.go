package main

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// writeCustom writes a schema for each version of a custom resource.
func writeCustom(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var definition struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema schema `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(data, &definition); err != nil {
		return err
	}
	if len(definition.Spec.Versions) == 0 {
		return fmt.Errorf("no version")
	}
	for _, version := range definition.Spec.Versions {
		s := strictObject(version.Schema.OpenAPIV3Schema)
		delete(s["properties"].(schema), "status")
		if err := write(definition.Spec.Group, version.Name, definition.Spec.Names.Kind, s); err != nil {
			return err
		}
	}
	return nil
}
