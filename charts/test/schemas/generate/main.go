// Command generate writes the JSON Schemas of the kinds of objects that the
// chart makes, from what Kubernetes, KEDA and the Prometheus operator publish in
// their Go modules. They are strict: what is not in them is refused, as the API
// server refuses it where it is asked to. The names are those that kubeconform
// looks for.
//
//	cd charts/test/schemas && go run ./generate
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// schema is a JSON Schema, or a part of one.
type schema = map[string]any

const (
	kubernetes = "k8s.io/kubernetes@v1.37.2"
	keda       = "github.com/kedacore/keda/v2@v2.21.0"
	operator   = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
)

// builtin are the kinds of Kubernetes' own, by the name in its swagger.
var builtin = []string{
	"io.k8s.api.apps.v1.Deployment",
	"io.k8s.api.core.v1.ConfigMap",
	"io.k8s.api.core.v1.Pod",
	"io.k8s.api.core.v1.Service",
	"io.k8s.api.core.v1.ServiceAccount",
	"io.k8s.api.networking.v1.NetworkPolicy",
	"io.k8s.api.policy.v1.PodDisruptionBudget",
}

// custom are files with custom resource definitions, by module.
var custom = map[string][]string{
	keda: {
		"config/crd/bases/keda.sh_scaledobjects.yaml",
		"config/crd/bases/keda.sh_triggerauthentications.yaml",
	},
	operator: {
		"example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
		"example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
	},
}

func main() {
	log.SetFlags(0)
	if err := generate(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func generate(ctx context.Context) error {
	dir, err := download(ctx, kubernetes)
	if err != nil {
		return err
	}
	if err := writeBuiltin(filepath.Join(dir, "api/openapi-spec/swagger.json")); err != nil {
		return err
	}
	for module, files := range custom {
		if dir, err = download(ctx, module); err != nil {
			return err
		}
		for _, file := range files {
			if err := writeCustom(filepath.Join(dir, file)); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

// download returns the directory of a module.
func download(ctx context.Context, module string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module).Output()
	if err != nil {
		return "", fmt.Errorf("download %s: %w", module, err)
	}
	var answer struct{ Dir string }
	err = json.Unmarshal(out, &answer)
	return answer.Dir, err
}

// write writes the schema of a kind.
func write(group, version, kind string, s schema) error {
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	suffix := version
	if group != "" {
		first, _, _ := strings.Cut(group, ".")
		suffix = first + "-" + version
	}
	return os.WriteFile(strings.ToLower(kind)+"-"+suffix+".json", append(data, '\n'), 0o644)
}
