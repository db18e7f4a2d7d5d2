package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// edit changes one thing of a good result. The document is given as JSON and
// want as the fault's code and field.
type edit struct {
	name     string
	old, new string
	code     Code
	field    string
	accepts  bool // JSON Schema cannot say it
}

const goodResult = `{"schema":"signmill.result/v1","id":"job-1","status":"partial","kid":"https://v/keys/k/1","labels":{"a":"b"},` +
	`"items":[{"id":"1","signature":"AAAA"},{"id":"2","error":{"code":"throttled","message":"wait","retryable":true}}]}`

func edits() []edit {
	return []edit{
		{"not JSON", `"id":"job-1"`, `"id":job-1`, CodeNotJSON, "/id", false},
		{"trailing", `]}`, `]}]`, CodeNotJSON, "", false},
		{"version", `result/v1`, `result/v2`, CodeUnsupportedVersion, "/schema", false},
		{"a job", `result/v1`, `job/v1`, CodeUnsupportedVersion, "/schema", false},
		{"unknown field", `"id":"job-1"`, `"id":"job-1","colour":1`, CodeInternal, "/colour", false},
		{"repeated field", `"id":"job-1"`, `"id":"job-1","id":"job-1"`, CodeInternal, "/id", true},
		{"no id", `"id":"job-1",`, ``, CodeInternal, "/id", false},
		{"empty id", `job-1`, ``, CodeInternal, "/id", false},
		{"null id", `"job-1"`, `null`, CodeInternal, "/id", false},
		{"unknown status", `partial`, `done`, CodeInternal, "/status", false},
		{"status succeeded", `partial`, `succeeded`, CodeInternal, "/status", false},
		{"status failed", `partial`, `failed`, CodeInternal, "/status", false},
		{"no kid", `"kid":"https://v/keys/k/1",`, ``, CodeInternal, "/kid", false},
		{"empty kid", `https://v/keys/k/1`, ``, CodeInternal, "/kid", false},
		{"long kid", `https://v/keys/k/1`, strings.Repeat("k", MaxKID+1), CodeInternal, "/kid", false},
		{"short trace id", `"kid"`, `"traceId":"4bf92f3577b34da6a3ce929d0e0e473","kid"`, CodeInternal, "/traceId", false},
		{"long trace id", `"kid"`, `"traceId":"4bf92f3577b34da6a3ce929d0e0e47361","kid"`, CodeInternal, "/traceId", false},
		{"trace id in capitals", `"kid"`, `"traceId":"4BF92F3577B34DA6A3CE929D0E0E4736","kid"`, CodeInternal, "/traceId", false},
		{"trace id of zeros", `"kid"`, `"traceId":"00000000000000000000000000000000","kid"`, CodeInternal, "/traceId", false},
		{"empty trace id", `"kid"`, `"traceId":"","kid"`, CodeInternal, "/traceId", false},
		{"null trace id", `"kid"`, `"traceId":null,"kid"`, CodeInternal, "/traceId", false},
		{"label", `"b"`, `["b"]`, CodeInternal, "/labels/a", false},
		{"error beside items", `"items"`, `"error":{"code":"throttled","message":"","retryable":true},"items"`, CodeInternal, "/items", false},
		{"no item id", `"id":"1",`, ``, CodeInternal, "/items/0/id", false},
		{"item twice", `"id":"2"`, `"id":"1"`, CodeInternal, "/items/1/id", true},
		{"neither", `,"signature":"AAAA"`, ``, CodeInternal, "/items/0", false},
		{"both", `"id":"2"`, `"id":"2","signature":"AAAA"`, CodeInternal, "/items/1", false},
		{"empty signature", `AAAA`, ``, CodeInternal, "/items/0/signature", false},
		{"padded signature", `AAAA`, `AA==`, CodeInternal, "/items/0/signature", false},
		{"standard signature", `AAAA`, `AA+/`, CodeInternal, "/items/0/signature", false},
		{"no code", `"code":"throttled",`, ``, CodeInternal, "/items/1/error/code", false},
		{"no message", `"message":"wait",`, ``, CodeInternal, "/items/1/error/message", false},
		{"no retryable", `,"retryable":true`, ``, CodeInternal, "/items/1/error/retryable", false},
		{"retryable text", `true`, `"true"`, CodeInternal, "/items/1/error/retryable", false},
		{"code in capitals", `throttled`, `Throttled`, CodeInternal, "/items/1/error/code", false},
		{"long code", `throttled`, strings.Repeat("c", MaxCode+1), CodeInternal, "/items/1/error/code", false},
		{"message of two lines", `wait`, `wait\nmore`, CodeInternal, "/items/1/error/message", false},
		{"long message", `wait`, strings.Repeat("w", MaxMessage+1), CodeInternal, "/items/1/error/message", false},
		{"long message in bytes", `wait`, strings.Repeat("ü", MaxMessage/2+1), CodeInternal, "/items/1/error/message", true},
		{"error text", `{"code":"throttled","message":"wait","retryable":true}`, `"throttled"`, CodeInternal, "/items/1/error", false},
	}
}

func TestBadResults(t *testing.T) {
	t.Parallel()
	rs := compile(t, ResultSchema())
	if err := schemaSays(rs, []byte(goodResult)); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeResult([]byte(goodResult)); err != nil {
		t.Fatal(err)
	}
	for _, c := range edits() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := []byte(strings.Replace(goodResult, c.old, c.new, 1))
			_, err := DecodeResult(doc)
			var bad *Invalid
			if !errors.As(err, &bad) || bad.Code != c.code || bad.Field != c.field {
				t.Fatalf("got %v, want %s at %q", err, c.code, c.field)
			}
			checkMessage(t, bad)
			if accepts := schemaSays(rs, doc) == nil; accepts != c.accepts {
				t.Errorf("schema accepts: got %t, want %t", accepts, c.accepts)
			}
		})
	}
}

// TestEmptyKID leaves the key identifier empty in place of out.
func TestEmptyKID(t *testing.T) {
	t.Parallel()
	doc := []byte(`{"schema":"signmill.result/v1","id":"j","status":"failed","kid":"","items":[{"id":"1","error":{"code":"expired","message":"","retryable":false}}]}`)
	_, err := DecodeResult(doc)
	var bad *Invalid
	if !errors.As(err, &bad) || bad.Field != "/kid" {
		t.Errorf("got %v, want a fault at /kid", err)
	}
	if schemaSays(compile(t, ResultSchema()), doc) == nil {
		t.Error("the schema accepts it")
	}
}

// TestResultsBySchema checks that the schema accepts the examples, and codes
// that this version does not know.
func TestResultsBySchema(t *testing.T) {
	t.Parallel()
	rs := compile(t, ResultSchema())
	docs := map[string][]byte{
		"new code": []byte(strings.Replace(goodResult, "throttled", "from_the_future2", 1)),
		"no id":    []byte(`{"schema":"signmill.result/v1","id":"","status":"failed","error":{"code":"not_json","message":"","retryable":false},"items":[]}`),
	}
	for _, name := range []string{"succeeded", "partial", "failed", "undecodable"} {
		docs[name] = readFile(t, "examples/result-"+name+".json")
	}
	for name, doc := range docs {
		if err := schemaSays(rs, doc); err != nil {
			t.Errorf("%s: schema: %v", name, err)
		}
		if _, err := DecodeResult(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncodeRefusesBrokenResult(t *testing.T) {
	t.Parallel()
	signed := []ItemResult{{ID: "1", Signature: []byte{1}}}
	for name, c := range map[string]struct {
		r     Result
		code  Code
		field string
	}{
		"zero":                {Result{}, CodeInternal, "/id"},
		"no items":            {Result{ID: "j", Status: Failed}, CodeInternal, "/items"},
		"status":              {Result{ID: "j", Status: Failed, KID: "k", Items: signed}, CodeInternal, "/status"},
		"signed by no key":    {Result{ID: "j", Status: Succeeded, Items: signed}, CodeInternal, "/kid"},
		"signature and error": {Result{ID: "j", Status: Failed, Items: []ItemResult{{ID: "1", Signature: []byte{1}, Error: &Error{Code: CodeExpired}}}}, CodeInternal, "/items/0"},
		"does not fit":        {Result{ID: "j", Status: Succeeded, KID: "k", Items: []ItemResult{{ID: "1", Signature: make([]byte, 400)}}}, CodeTooLarge, ""},
	} {
		_, err := c.r.Encode(500)
		var bad *Invalid
		if !errors.As(err, &bad) || bad.Code != c.code || bad.Field != c.field {
			t.Errorf("%s: got %v, want %s at %q", name, err, c.code, c.field)
		}
	}
}

// TestEncodeLeavesResultAlone checks that cleaning and cutting work on a copy.
func TestEncodeLeavesResultAlone(t *testing.T) {
	t.Parallel()
	r := resultOf(jobOf(ES256, 50), func(int) bool { return false })
	r.Items[0].Error.Message = "two\nlines" + strings.Repeat("!", 2000)
	want := *r.Items[0].Error
	doc, err := r.Encode(13_000)
	if err != nil {
		t.Fatal(err)
	}
	if *r.Items[0].Error != want {
		t.Errorf("got %+v, want %+v", *r.Items[0].Error, want)
	}
	if !bytes.Contains(doc, []byte("two lines!")) || !bytes.Contains(doc, []byte("…")) {
		t.Errorf("got %s, want a clean message with a marked cut", doc)
	}
}

func TestInvalidResult(t *testing.T) {
	t.Parallel()
	bad := decodeBad(t, []byte(`{"id":"job-1","items":"x"}`), Limits{})
	got, err := bad.Result().Encode(0)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"schema":"signmill.result/v1","id":"job-1","status":"failed","error":{"code":"invalid_job","message":"/items: must be an array, is a string","retryable":false},"items":[]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCodes reads the codes from their documentation, so that none is left out
// of the list, too long, or missing in the schema.
func TestCodes(t *testing.T) {
	t.Parallel()
	source := readFile(t, "code.go")
	var documented []Code
	for _, m := range regexp.MustCompile(`Code = "(\w+)"\s+// \S`).FindAllSubmatch(source, -1) {
		documented = append(documented, Code(m[1]))
	}
	if all := bytes.Count(source, []byte(`= "`)); len(documented) != all {
		t.Errorf("got %d codes with a comment, want %d", len(documented), all)
	}
	if !reflect.DeepEqual(Codes(), documented) {
		t.Errorf("got  %v\nwant %v", Codes(), documented)
	}
	var doc struct {
		Defs struct {
			Error struct {
				Properties struct {
					Code struct {
						Description string
						Examples    []Code
					}
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(ResultSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	inSchema := doc.Defs.Error.Properties.Code
	if !reflect.DeepEqual(inSchema.Examples, documented) {
		t.Errorf("schema: got %v, want %v", inSchema.Examples, documented)
	}
	for _, c := range documented {
		if !c.wellFormed() || !strings.Contains(inSchema.Description, string(c)+": ") {
			t.Errorf("%s: want at most %d bytes and a description in the schema", c, MaxCode)
		}
	}
}
