package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// marker is the plaintext to look for. Its length makes each base64 form of it
// stand alone, wherever it begins.
const marker = "MARKER-of-a-plaintext-MARKER"

// forms returns how marker may show: raw, in hexadecimal, in decimal bytes, and
// in base64 at each of the three offsets.
var forms = sync.OnceValue(func() []string {
	decimal := strings.Trim(fmt.Sprint([]byte(marker)), "[]")
	list := []string{
		"MARKER", hex.EncodeToString([]byte(marker)), strings.ToUpper(hex.EncodeToString([]byte(marker))),
		decimal, strings.ReplaceAll(decimal, " ", ","), strings.ReplaceAll(decimal, " ", ", "),
		"0x4d, 0x41, 0x52", `\x4d`, "4d 41 52", "4D 41 52",
	}
	for offset := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", offset) + marker))
		list = append(list, text[4:32])
	}
	return list
})

// shows returns the form of marker that text has, or "".
func shows(text string) string {
	for _, form := range forms() {
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// holders returns all that can hold a plaintext, by value and by pointer, and
// in what people build of them.
func holders() []any {
	item := Item{ID: "1", Plaintext: Secret(marker)}
	job := Job{ID: "job-1", Operation: Encrypt, Key: "k", Algorithm: RSAOAEP256, Items: []Item{item}}
	done := ItemResult{ID: "1", Plaintext: Secret(marker)}
	result := Result{ID: "job-1", Status: Succeeded, KID: "k", Items: []ItemResult{done}}
	secret := Secret(marker)
	return []any{
		secret, &secret, item, &item, job, &job, done, &done, result, &result,
		[]Secret{secret}, []*Secret{&secret}, []Item{item}, []*Item{&item}, []Job{job}, []*Job{&job},
		[]ItemResult{done}, []*ItemResult{&done}, []Result{result}, []*Result{&result},
		[1]Secret{secret}, map[string]Secret{"a": secret}, map[string]any{"a": job}, struct{ Job }{job}, struct{ R *Result }{&result},
		[]any{secret, &item}, fmt.Errorf("job %v", job), errors.Join(fmt.Errorf("%+v", &result)),
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	for _, v := range holders() {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%o", "%10.3s"} {
			if form := shows(fmt.Sprintf(verb, v)); form != "" {
				t.Errorf("%s of %T shows %q", verb, v, form)
			}
		}
		if form := shows(fmt.Sprint(v) + fmt.Sprintln(v)); form != "" {
			t.Errorf("print of %T shows %q", v, form)
		}
		if doc, err := json.Marshal(v); err != nil || shows(string(doc)) != "" {
			t.Errorf("JSON of %T: got %s, %v; want it redacted", v, doc, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "v", v, slog.Group("g", "v", v))
		if form := shows(log.String()); form != "" {
			t.Errorf("log of %T shows %q: %s", v, form, &log)
		}
	}
}

// TestSecretsShowWhenAsked keeps the test above honest: each form is found
// where a plaintext is shown on purpose.
func TestSecretsShowWhenAsked(t *testing.T) {
	t.Parallel()
	plain := []byte(marker)
	doc, err := holders()[4].(Job).Encode(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"job": string(doc), "%s": string(plain), "%x": fmt.Sprintf("%x", plain), "%X": fmt.Sprintf("%X", plain), "% x": fmt.Sprintf("% x", plain),
		"%v": fmt.Sprint(plain), "%#v": fmt.Sprintf("%#v", plain), "Go": fmt.Sprintf("%#v", plain),
		"offset 1": base64.URLEncoding.EncodeToString([]byte("x" + marker)), "offset 2": base64.URLEncoding.EncodeToString([]byte("xy" + marker)),
	} {
		if shows(text) == "" {
			t.Errorf("%s: found nothing in %s", name, text)
		}
	}
}

// TestSecretsInNoError breaks documents with a plaintext in each way that has
// an error text, and looks for it there.
func TestSecretsInNoError(t *testing.T) {
	t.Parallel()
	text := base64url.EncodeToString([]byte(marker))
	var docs []string
	for _, field := range itemFields()[1:] {
		for _, k := range kinds() {
			for _, tail := range []string{"", "=", "+/", "\\n", "A", "AA", "AAA", "\\u0041", "\\ud800", `","` + field + `":"` + text, "\n", `"x`, `":{`} {
				docs = append(docs, fmt.Sprintf(`{"schema":"signmill.job/v1","id":"j","operation":%q,"key":"k","algorithm":%q,"items":[{"id":"1",%q:"%s"}]}`,
					k.operation, k.algorithm, field, text+tail))
			}
		}
	}
	for _, doc := range docs {
		_, err := Decode([]byte(doc), Limits{})
		checkHidden(t, err)
		_, err = Decode([]byte(doc), Limits{MaxResultBytes: 1})
		checkHidden(t, err)
	}
	for _, tail := range []string{"=", "+", "A", "\\n", `","signature":"AAAA`, `","iv":"AAAA`, "\n"} {
		_, err := DecodeResult([]byte(`{"schema":"signmill.result/v1","id":"j","status":"succeeded","kid":"k","items":[{"id":"1","plaintext":"` + text + tail + `"}]}`))
		checkHidden(t, err)
	}
	for _, broken := range []Result{
		{ID: "j", Status: Failed, Items: []ItemResult{{ID: "1", Plaintext: Secret(marker)}}},
		{ID: "j", Status: Succeeded, Items: []ItemResult{{ID: "1", Plaintext: Secret(marker)}}},
		{ID: "j", Status: Succeeded, KID: "k", Items: []ItemResult{{ID: "1", Plaintext: Secret(marker), Tag: []byte(marker)}}},
		{ID: "j", Status: Succeeded, KID: "k", Items: []ItemResult{{ID: "1", Plaintext: Secret(marker), PublicKey: &PublicKey{JWK: []byte(`{"k":"` + marker + `"}`)}}}},
		{ID: "j", Status: Succeeded, KID: "k", Items: []ItemResult{{ID: "1", PublicKey: &PublicKey{JWK: []byte(`{"k":"` + marker + `"}`), PEM: marker}}}},
	} {
		_, err := broken.Encode(0)
		checkHidden(t, err)
		if err == nil {
			t.Errorf("%v: got no error", broken)
		}
	}
}

// checkHidden checks that an error shows the marker in no form.
func checkHidden(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	bad := err.(*Invalid)
	answer, _ := bad.Result().Encode(0)
	if form := shows(fmt.Sprintf("%v %+v %s %s", err, *bad, bad.Field, answer)); form != "" {
		t.Errorf("%v shows %q", err, form)
	}
}

// TestSecretConverts checks that the bytes are there for what asks for them.
func TestSecretConverts(t *testing.T) {
	t.Parallel()
	if got := string([]byte(Secret(marker))); got != marker {
		t.Errorf("got %q, want %q", got, marker)
	}
	if got := Secret(marker).String(); got != redacted {
		t.Errorf("got %q, want %q", got, redacted)
	}
}
