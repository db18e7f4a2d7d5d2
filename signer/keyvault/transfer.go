package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// ParseTransfer reads the file that a key-transfer tool has made: a key,
// wrapped for the hardware of one vault with that vault's key exchange key.
// The file does not tell the key's type and curve in a form that is fixed, so
// they are given: RSA, EC or oct, and for EC a curve (P-256 when it is empty).
// The blob itself can be read by the hardware only.
func ParseTransfer(file []byte, kind, curve string) (Material, error) {
	if len(file) > maxMaterial {
		return Material{}, fmt.Errorf("read transfer blob: %d bytes are more than %d", len(file), maxMaterial)
	}
	var blob struct {
		SchemaVersion string `json:"schema_version"`
		Header        struct{ Kid, Alg, Enc string }
		Ciphertext    string
	}
	if err := json.Unmarshal(file, &blob); err != nil {
		return Material{}, errors.New("read transfer blob: the file is not the JSON of a key-transfer tool")
	}
	switch {
	case !strings.HasPrefix(blob.SchemaVersion, "1."):
		return Material{}, fmt.Errorf("read transfer blob: schema_version %q is not 1.x", clip(blob.SchemaVersion, 20))
	case blob.Header.Kid == "" || blob.Header.Enc == "" || blob.Ciphertext == "":
		return Material{}, errors.New("read transfer blob: header.kid, header.enc or ciphertext is missing")
	}
	spec := KeySpec{Name: "x", Type: kind, Curve: curve}
	if err := spec.Check(); err != nil {
		return Material{}, fmt.Errorf("read transfer blob: %w", err)
	}
	spec = spec.filled(true)
	m := Material{jwk: azkeys.JSONWebKey{Kty: new(azkeys.KeyType(spec.Type)), T: slices.Clone(file)}}
	if spec.Curve != "" {
		m.jwk.Crv = new(azkeys.CurveName(spec.Curve))
	}
	return m, nil
}
