package policy

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/quota"
)

// text returns the edited file.
func (e edit) text(t testing.TB) []byte {
	t.Helper()
	if e.old != "" && strings.Count(base, e.old) == 0 {
		t.Fatalf("%s: the base has no %q", e.name, e.old)
	}
	return []byte(strings.Replace(base, e.old, e.new, 1))
}

// TestParse tells every fault of the corpus, with its line.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, e := range corpus() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			f, err := Parse(e.text(t), Options{})
			if got, want := lines(err), e.faults; !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if (f == nil) != (err != nil) {
				t.Errorf("got a file %v together with the error %v", f, err)
			}
		})
	}
}

func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

// TestSchemaAgrees compares the decoder with the JSON Schema.
func TestSchemaAgrees(t *testing.T) {
	t.Parallel()
	js := compileSchema(t)
	for _, e := range corpus() {
		said := schemaSays(t, js, e.text(t))
		if good := e.faults == nil || e.beyond; good && said != nil {
			t.Errorf("%s: the schema refuses it: %v", e.name, said)
		} else if !good && said == nil {
			t.Errorf("%s: the schema accepts it, and the decoder says %v", e.name, e.faults)
		}
	}
}

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	js, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// schemaSays judges a file as an editor would: what YAML makes of it, with the
// last of repeated fields.
func schemaSays(t testing.TB, js *jsonschema.Schema, data []byte) error {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plainValue(t, root.Content[0]))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return js.Validate(value)
}

func plainValue(t testing.TB, n *yaml.Node) any {
	switch n.Kind {
	case yaml.AliasNode:
		return plainValue(t, n.Alias)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			switch {
			case key.Tag == "!!merge":
				for k, v := range plainValue(t, value).(map[string]any) {
					m[k] = v
				}
			case key.Kind == yaml.ScalarNode:
				if _, twice := m[key.Value]; !twice {
					m[key.Value] = plainValue(t, value)
				}
			}
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, entry := range n.Content {
			list = append(list, plainValue(t, entry))
		}
		return list
	}
	if n.Tag == "!x" {
		return n.Value
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestExample holds the example to what it says.
func TestExample(t *testing.T) {
	t.Parallel()
	f, err := Parse(Example(), Options{Quota: 77, Share: "static:2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := schemaSays(t, compileSchema(t), Example()); err != nil {
		t.Errorf("schema: %v", err)
	}
	prod := Vault{URL: "https://example.vault.azure.net", Quota: 4000, Share: "static:3", Costs: quota.Costs{
		{Type: quota.RSA, Bits: 4096, HSM: true}: 16, {Type: quota.EC, Curve: "P-256"}: 1,
	}}
	if got := f.Vaults["prod"]; !reflect.DeepEqual(got, prod) {
		t.Errorf("vault: got %+v, want %+v", got, prod)
	}
	if got, want := f.Vaults["hsm"], (Vault{URL: "https://example.managedhsm.azure.net", Quota: 77, Share: "static:2"}); !reflect.DeepEqual(got, want) {
		t.Errorf("vault with defaults: got %+v, want %+v", got, want)
	}
	invoices := Key{Vault: "prod", Name: "invoices", Purpose: Digests, Operations: []schema.Operation{schema.Sign}, Algorithms: []schema.Algorithm{schema.ES256},
		MaxItems: 100, Producers: []string{"billing"}, Replies: []string{"replies-billing"}}
	if got := f.Keys["invoices"]; !reflect.DeepEqual(got, invoices) {
		t.Errorf("key: got %+v, want %+v", got, invoices)
	}
	if got := f.Ref(f.Keys["mail"]).Version; got != "0123456789abcdef0123456789abcdef" {
		t.Errorf("version: got %q", got)
	}
	if f.Subscription != 20000 || !reflect.DeepEqual(f.Replies, []string{"replies", "replies-billing"}) {
		t.Errorf("subscription and replies: got %d and %v", f.Subscription, f.Replies)
	}
	if got, want := f.JobQueues("jobs"), []string{"jobs", "jobs-billing"}; !reflect.DeepEqual(got, want) {
		t.Errorf("job queues: got %v, want %v", got, want)
	}
}

// TestJobQueues leaves out the main queue where nobody may send to it.
func TestJobQueues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		producers map[string]Producer
		want      []string
	}{
		"everybody":       {nil, []string{"jobs"}},
		"queues alone":    {map[string]Producer{"b": {Queue: "two"}, "a": {Queue: "one"}}, []string{"one", "two"}},
		"a claim":         {map[string]Producer{"a": {Queue: "one"}, "b": {Token: &Token{}}}, []string{"jobs", "one"}},
		"the main itself": {map[string]Producer{"a": {Queue: "Jobs"}, "b": {Token: &Token{}}}, []string{"Jobs"}},
	} {
		if got := (&File{Producers: test.producers}).JobQueues("jobs"); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// TestWholeFile tells what is wrong with what is no file at all.
func TestWholeFile(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"empty", "", "the file is empty: begin it with version: signmill.policy/v1"},
		{"comments", "# nothing\n", "the file is empty: begin it with version: signmill.policy/v1"},
		{"null", "null\n", "line 1: nothing is not a mapping: write fields, each as name: value"},
		{"text", "hello", `line 1: "hello" is not a mapping: write fields, each as name: value`},
		{"syntax", "version: 1\nvaults: [\n", "line 2: this is no YAML: "},
		{"a tab", "vaults:\n\tprod: 1\n", "line 2: this is no YAML: "},
		{"control character", "version: \x01", "this is no YAML: "},
		{"not UTF-8", "version: \xff", "the file is not UTF-8"},
		{"UTF-16", "\xff\xfev\x00", "the file is not UTF-8"},
		{"too large", strings.Repeat("#", MaxBytes+1), "the file has 524289 bytes, and 524288 is the limit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(test.text), Options{})
			if got := lines(err); len(got) != 1 || !strings.HasPrefix(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestBombs has files that grow when they are read, or are nested deeply.
func TestBombs(t *testing.T) {
	t.Parallel()
	size := MaxBytes
	if testing.Short() {
		size /= 8
	}
	aliases := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		aliases += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 9) + "]\n"
	}
	many := base[:strings.Index(base, "\nkeys:")+7]
	for i := range maxKeys + 1 {
		many += "  k" + strconv.Itoa(i) + ": {vault: prod, key: k}\n"
	}
	tests := map[string]struct {
		text  string
		fault string
	}{
		"aliases":        {aliases, `"a" is no field here`},
		"depth":          {strings.Repeat("[", size), "this is no YAML"},
		"flow mappings":  {strings.Repeat("{a: ", size/4), "this is no YAML"},
		"block lists":    {strings.Repeat("- ", size/2), "this is no YAML"},
		"complex keys":   {strings.Repeat("? ", size/2), "this is no YAML"},
		"many entries":   {"version: [" + strings.Repeat("a,", size/2-10) + "]", "a list is no text"},
		"many faults":    {strings.Repeat("a: b\n", size/6), " more"},
		"many keys":      {many, "there are 1001 entries, and 1000 is the limit"},
		"long text":      {"version: " + strings.Repeat("v", size-10), "is not known"},
		"long name":      {strings.Repeat("v", 1000) + ": 1", "is no field here"},
		"many documents": {strings.Repeat("---\n", size/4), "a second document begins here"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(test.text), Options{})
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("got %.200v, want %q", err, test.fault)
			}
			if n := len(err.Error()); n > 64<<10 {
				t.Errorf("the error has %d bytes", n)
			}
		})
	}
}
