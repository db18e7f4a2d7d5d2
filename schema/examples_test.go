package schema

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples reads each example and writes it again. What is written must be
// the example, without white space; for a job with data, its digests.
func TestExamples(t *testing.T) {
	files, _ := filepath.Glob("examples/*.json")
	if len(files) != 22 {
		t.Fatalf("got %d examples, want 22", len(files))
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			doc := readFile(t, name)
			got, err := rewrite(filepath.Base(name), doc)
			if err != nil {
				t.Fatal(err)
			}
			if want := goldenOf(t, name, doc); !bytes.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// TestExamplesOfOperations has a job and a result of each operation, and their
// parts belong together: the same ids, and what one makes the other takes.
func TestExamplesOfOperations(t *testing.T) {
	t.Parallel()
	jobs, results := map[Operation]Job{}, map[Operation]Result{}
	for o, name := range map[Operation]string{
		Sign: "digests", Verify: "verify", Encrypt: "encrypt", Decrypt: "decrypt", WrapKey: "wrap-key", UnwrapKey: "unwrap-key", GetPublicKey: "get-public-key",
	} {
		j, err := Decode(readFile(t, "examples/job-"+name+".json"), Limits{})
		if err != nil || j.Operation != o {
			t.Fatalf("%s: got %v, %v", name, j, err)
		}
		r, err := DecodeResult(readFile(t, "examples/result-"+strings.Replace(name, "digests", "succeeded", 1)+".json"))
		if err != nil || r.ID != j.ID || len(r.Items) != len(j.Items) {
			t.Fatalf("%s: got %v, %v; want the result of %v", name, r, err, j)
		}
		jobs[o], results[o] = j, r
	}
	sealed, opened := results[Encrypt].Items[0], jobs[Decrypt].Items[0]
	if !bytes.Equal(sealed.Ciphertext, opened.Ciphertext) || !bytes.Equal(sealed.IV, opened.IV) || !bytes.Equal(sealed.Tag, opened.Tag) ||
		!bytes.Equal(jobs[Encrypt].Items[0].Plaintext, results[Decrypt].Items[0].Plaintext) || !bytes.Equal(jobs[Encrypt].Items[0].AAD, opened.AAD) {
		t.Error("encrypt and decrypt do not belong together")
	}
	if !bytes.Equal(results[WrapKey].Items[0].Ciphertext, jobs[UnwrapKey].Items[0].Ciphertext) ||
		!bytes.Equal(jobs[WrapKey].Items[0].Plaintext, results[UnwrapKey].Items[0].Plaintext) {
		t.Error("wrapKey and unwrapKey do not belong together")
	}
	block, _ := pem.Decode([]byte(results[GetPublicKey].Items[0].PublicKey.PEM))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range jobs[Verify].Items {
		r, s := new(big.Int).SetBytes(item.Signature[:32]), new(big.Int).SetBytes(item.Signature[32:])
		if got, want := ecdsa.Verify(key.(*ecdsa.PublicKey), item.Digest, r, s), *results[Verify].Items[i].Valid; got != want {
			t.Errorf("verify: item %d: got %t, want %t", i, got, want)
		}
	}
}

// rewrite decodes and encodes a document of the kind that its name says.
func rewrite(name string, doc []byte) ([]byte, error) {
	if strings.HasPrefix(name, "result") {
		r, err := DecodeResult(doc)
		if err != nil {
			return nil, err
		}
		return r.Encode(0)
	}
	j, err := Decode(doc, Limits{})
	if err != nil {
		return nil, err
	}
	return j.Encode(Limits{})
}

// goldenOf returns what an example is written as: itself, or the file of the
// same name in testdata/written where the two differ on purpose.
func goldenOf(t *testing.T, name string, doc []byte) []byte {
	t.Helper()
	if golden, err := os.ReadFile(filepath.Join("testdata/written", filepath.Base(name))); err == nil {
		doc = golden
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, doc); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
