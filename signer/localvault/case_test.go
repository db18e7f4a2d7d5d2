package localvault_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signmill/signmill/signer/localvault"
)

// An object's identifier does not depend on case, the version included.
func TestPathsDoNotDependOnCase(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "Signer", Type: "EC"}}})
	made, err := client(t, server).GetKey(t.Context(), "Signer", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	version := made.Key.KID.Version()
	const digest = `{"alg":"ES256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
	cases := []struct{ method, path, body string }{
		{"GET", "/KEYS", ""},
		{"GET", "/KEYS/SIGNER", ""},
		{"GET", "/Keys/signer/", ""},
		{"GET", "/keys/signer/Versions", ""},
		{"GET", "/keys/signer/" + strings.ToUpper(version), ""},
		{"POST", "/KEYS/SIGNER/SIGN", digest},
		{"POST", "/KEYS/signer/" + strings.ToUpper(version) + "/Sign", digest},
		{"PATCH", "/KEYS/signer/" + version, `{"tags":{"a":"b"}}`},
		{"POST", "/Keys/other/Create", `{"kty":"EC"}`},
	}
	for _, tc := range cases {
		status, _, body := ask(t, server, tc.method, tc.path+"?api-version=7.6", tc.body)
		if status != http.StatusOK {
			t.Errorf("%s %s: got %d, want 200\n%s", tc.method, tc.path, status, body)
		}
		if strings.Contains(body, "SIGNER") || strings.Contains(body, "/KEYS/") {
			t.Errorf("%s %s: an identifier follows the request\n%s", tc.method, tc.path, body)
		}
	}
}
