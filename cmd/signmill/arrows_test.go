package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/signmill/signmill"

// inside is where the parts of the binary lie. Each is a room of its own, which
// the binary puts together.
const inside = "cmd/signmill/internal/"

// arrows lists, for each package, the packages of this module that it may
// import. A new arrow is a design decision: it is made here first. Test files
// may also import the local servers and the conformance suites.
var arrows = map[string][]string{
	"schema":                            {},
	"queue":                             {},
	"queue/queuetest":                   {"queue"},
	"queue/servicebus":                  {"queue"},
	"queue/localbus":                    {},
	"signer":                            {"schema"},
	"signer/signertest":                 {"signer", "schema"},
	"signer/keyvault":                   {"signer", "signer/instrument", "signer/quota", "schema"},
	"signer/instrument":                 {},
	"signer/localvault":                 {},
	"signer/quota":                      {},
	"signer/quota/redisshare":           {"signer/quota"},
	"signer/quota/redisshare/redistest": {},
	"worker":                            {"queue", "schema", "signer", "signer/instrument", "signer/quota"},
	"worker/history":                    {"schema", "signer"}, // tests alone import it
	"worker/audit":                      {"schema", "signer", "worker"},
	"worker/policy":                     {"queue", "schema", "signer", "signer/quota"},
	"cmd/signmill": {"queue", "queue/servicebus", "schema", "signer", "signer/instrument", "signer/keyvault", "signer/quota", "signer/quota/redisshare", "worker", "worker/audit", "worker/policy",
		inside + "campaign", inside + "deadletter", inside + "display", inside + "estimate", inside + "exchange", inside + "files", inside + "jobfile", inside + "manifest", inside + "otlp", inside + "parallel", inside + "probe", inside + "spanqueue", inside + "status", inside + "traceview", inside + "verify"},
	"cmd/signmill/local_stack.go": {"queue/localbus", "signer/localvault"},

	inside + "campaign":   {"queue", "schema", "signer", inside + "display", inside + "exchange", inside + "files", inside + "manifest", inside + "parallel", inside + "verify"},
	inside + "deadletter": {"queue", "schema", "worker/policy", inside + "display"},
	inside + "display":    {},
	inside + "estimate":   {"schema", "signer/quota"},
	inside + "exchange":   {"queue", "schema"},
	inside + "files":      {"schema", inside + "display"},
	inside + "jobfile":    {"schema", inside + "display"},
	inside + "manifest":   {"schema", inside + "display"},
	inside + "otlp":       {},
	inside + "parallel":   {},
	inside + "probe":      {"schema", "signer", "signer/quota", inside + "display"},
	inside + "spanqueue":  {"queue", "schema", inside + "otlp"},
	inside + "status":     {"queue", "signer/quota", "worker", inside + "display"},
	inside + "traceview":  {inside + "display"},
	inside + "verify":     {"schema", "signer", inside + "display", inside + "files", inside + "manifest", inside + "parallel"},

	"signer/quota/quotabench": {"schema", "signer", "signer/quota"}, // its tests alone import them
}

// testOnly lists what test files may import besides their package's arrows.
var testOnly = []string{"queue/localbus", "queue/queuetest", "queue/servicebus", "signer/keyvault", "signer/localvault", "signer/signertest", "worker/audit",
	"signer/quota/redisshare", "signer/quota/redisshare/redistest", "worker/history"}

// fenced lists foreign modules and the only packages that may import them.
var fenced = map[string][]string{
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus": {"queue/servicebus"},
	"github.com/Azure/go-amqp":                                     {"queue/servicebus"},
	"github.com/Azure/azure-sdk-for-go/sdk/security":               {"signer/keyvault"},
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity":             {"cmd/signmill"},
	"go.opentelemetry.io/otel/sdk":                                 {"cmd/signmill", inside + "otlp", inside + "spanqueue"},
	"go.opentelemetry.io/otel/exporters":                           {"cmd/signmill", inside + "otlp"},
	"github.com/redis/go-redis":                                    {"signer/quota/redisshare", "signer/quota/redisshare/redistest"},
	"github.com/alicebob/miniredis":                                {"signer/quota/redisshare/redistest"},
	"github.com/spf13/cobra":                                       {"cmd/signmill"},
}

// standalone lists packages that use the standard library only.
var standalone = []string{"queue", "queue/localbus", "signer/quota"}

func TestImportArrows(t *testing.T) {
	walkGo(t, func(dir, file string, imports []string) {
		room := roomOf(dir)
		if _, known := arrows[room]; !known {
			t.Errorf("%s: package is not in the table of arrows", dir)
			return
		}
		for _, imp := range imports {
			checkImport(t, room, dir, file, imp)
		}
	})
}

func checkImport(t *testing.T, room, dir, file, imp string) {
	t.Helper()
	test := strings.HasSuffix(file, "_test.go")
	own, isOwn := strings.CutPrefix(imp, module+"/")
	if !isOwn {
		checkForeign(t, room, file, imp, test)
		return
	}
	to := roomOf(own)
	if to == room {
		return // a package and its internal parts are one room
	}
	allowed := slices.Concat(arrows[room], arrows[path.Join(dir, path.Base(file))])
	if test {
		allowed = append(allowed, testOnly...)
	}
	if !slices.Contains(allowed, to) {
		t.Errorf("%s imports %s: no such arrow", file, own)
	}
}

func checkForeign(t *testing.T, room, file, imp string, test bool) {
	t.Helper()
	if test {
		return
	}
	if slices.Contains(standalone, room) && strings.Contains(strings.Split(imp, "/")[0], ".") {
		t.Errorf("%s imports %s: %s uses the standard library only", file, imp, room)
	}
	for prefix, rooms := range fenced {
		if (imp == prefix || strings.HasPrefix(imp, prefix+"/")) && !slices.Contains(rooms, room) {
			t.Errorf("%s imports %s: only %v may", file, imp, rooms)
		}
	}
}

// roomOf returns the package that an internal package belongs to. Those of the
// binary belong to themselves.
func roomOf(dir string) string {
	if strings.HasPrefix(dir, inside) {
		return dir
	}
	room, _, _ := strings.Cut(dir, "/internal")
	return room
}

// another says whether a directory is a module of its own.
func another(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// walkGo calls visit for each Go file of the module with its imports.
func walkGo(t *testing.T, visit func(dir, file string, imports []string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || another(name)) {
			return filepath.SkipDir
		}
		if path.Ext(rel) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			imports = append(imports, imp)
		}
		visit(path.Dir(rel), rel, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
