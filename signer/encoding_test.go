package signer_test

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestEncodingsAreInverse runs long enough to meet every width that r and s
// take in practice: one in 256 has a leading zero byte.
func TestEncodingsAreInverse(t *testing.T) {
	t.Parallel()
	for algorithm, rounds := range map[schema.Algorithm]int{schema.ES256: 1500, schema.ES256K: 1500, schema.ES384: 300, schema.ES512: 100} {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			key := keyFor(t, algorithm)
			for i := range rounds {
				jose := key.sign(algorithm, digestOf(algorithm, string(rune(i))))
				der, err := signer.DER(algorithm, jose)
				if err != nil {
					t.Fatal(err)
				}
				if back, err := signer.JOSE(algorithm, der); err != nil || !bytes.Equal(back, jose) {
					t.Fatalf("JOSE(DER(%x)) = %x, %v", jose, back, err)
				}
			}
		})
	}
}

func TestDERPadsAndTrims(t *testing.T) {
	t.Parallel()
	jose := make([]byte, 64)
	jose[31], jose[32] = 1, 0x80
	der, err := signer.DER(schema.ES256, jose)
	want := "3026020101022100" + hex.EncodeToString(jose[32:])
	if err != nil || hex.EncodeToString(der) != want {
		t.Errorf("DER = %x, %v; want %s", der, err, want)
	}
	one := append(make([]byte, 63), 1)
	one[31] = 1
	for _, bad := range [][]byte{nil, make([]byte, 64), jose[:63], append(one, 0), bytes.Repeat([]byte{0xff}, 64)} {
		if der, err := signer.DER(schema.ES256, bad); err == nil {
			t.Errorf("DER(%x) = %x, want an error", bad, der)
		}
	}
	beyond := order(schema.ES256).FillBytes(make([]byte, 32))
	if _, err := signer.DER(schema.ES256, append(beyond, jose[:32]...)); err == nil {
		t.Error("DER took r equal to the order")
	}
}

func TestJOSEIsStrict(t *testing.T) {
	t.Parallel()
	beyond := hex.EncodeToString(order(schema.ES256).Bytes())
	tests := map[string]string{
		"nothing":               "",
		"byte behind":           "300602010102010100",
		"byte inside":           "3007020101020101" + "00",
		"third number":          "3009020101020101020101",
		"padded r":              "300702020001020101",
		"negative r":            "30060201ff020101",
		"zero r":                "3006020100020101",
		"zero s":                "3006020101020100",
		"length in long form":   "308106020101020101",
		"indefinite length":     "30800201010201010000",
		"a set":                 "3106020101020101",
		"cut off":               "30060201010201",
		"r equal to the order":  "3026022100" + beyond + "020101",
		"r wider than a number": "302702220100" + beyond + "020101",
	}
	for name, text := range tests {
		der, err := hex.DecodeString(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if jose, err := signer.JOSE(schema.ES256, der); err == nil {
			t.Errorf("%s: JOSE = %x, want an error", name, jose)
		}
	}
	if jose, err := signer.JOSE(schema.ES512, []byte{0x30, 6, 2, 1, 1, 2, 1, 2}); err != nil || len(jose) != 132 || jose[65] != 1 || jose[131] != 2 {
		t.Errorf("JOSE = %x, %v; want 1 and 2 in 66 bytes each", jose, err)
	}
}

func TestEncodingsLeaveRSAAlone(t *testing.T) {
	t.Parallel()
	for _, convert := range []func(schema.Algorithm, []byte) ([]byte, error){signer.DER, signer.JOSE} {
		if got, err := convert(schema.PS384, []byte("signature")); err != nil || string(got) != "signature" {
			t.Errorf("got %q, %v; want the input", got, err)
		}
		_, err := convert("none", nil)
		wantCode(t, "unknown algorithm", err, schema.CodeAlgorithmNotFitting)
	}
}

func FuzzJOSE(f *testing.F) {
	f.Add(0, []byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Add(2, []byte{0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0})
	curves := []schema.Algorithm{schema.ES256, schema.ES384, schema.ES512, schema.ES256K}
	f.Fuzz(func(t *testing.T, curve int, der []byte) {
		algorithm := curves[uint(curve)%4]
		jose, err := signer.JOSE(algorithm, der)
		if err != nil {
			return
		}
		if back, err := signer.DER(algorithm, jose); err != nil || !bytes.Equal(back, der) {
			t.Errorf("DER(JOSE(%x)) = %x, %v", der, back, err)
		}
		if r := new(big.Int).SetBytes(jose[:len(jose)/2]); r.Sign() == 0 || r.Cmp(order(algorithm)) >= 0 {
			t.Errorf("JOSE(%x): r out of range", der)
		}
	})
}
