package localvault_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// wantText checks that an error tells what it should.
func wantText(t *testing.T, err error, words ...any) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(err.Error(), fmt.Sprint(word)) {
			t.Errorf("%v\ndoes not tell %v", err, word)
		}
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// secretKey makes a vault with a symmetric key k.
func secretKey(t *testing.T, k []byte) *azkeys.Client {
	t.Helper()
	c := client(t, start(t, localvault.Config{}))
	jwk := &azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeOctHSM), K: k}
	if _, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: jwk}, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// Vectors of RFC 3394 sections 4.1 to 4.6.
func TestKeyWrapVectors(t *testing.T) {
	t.Parallel()
	kek := unhex(t, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	data := append(unhex(t, "00112233445566778899aabbccddeeff"), kek[:16]...)
	cases := []struct {
		kek, data int // bits
		want      string
	}{
		{128, 128, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{192, 128, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"},
		{256, 128, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
		{192, 192, "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"},
		{256, 192, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"},
		{256, 256, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
	}
	for _, tc := range cases {
		c, alg := secretKey(t, kek[:tc.kek/8]), fmt.Sprintf("A%dKW", tc.kek)
		wrapped := cipherCall("wrapKey").must(t, c, parameters(alg, data[:tc.data/8]))
		if got := hex.EncodeToString(wrapped.Result); got != tc.want {
			t.Errorf("%s of %d bits: got %s, want %s", alg, tc.data, got, tc.want)
		}
		key := cipherCall("unwrapKey").must(t, c, parameters(alg, unhex(t, tc.want)))
		if !bytes.Equal(key.Result, data[:tc.data/8]) {
			t.Errorf("%s of %d bits: unwrapped %x", alg, tc.data, key.Result)
		}
	}
}

// Vectors of SP 800-38A appendix F.2.
func TestCBCVectors(t *testing.T) {
	t.Parallel()
	iv := unhex(t, "000102030405060708090a0b0c0d0e0f")
	plain := unhex(t, "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710")
	cases := []struct{ key, want string }{
		{"2b7e151628aed2a6abf7158809cf4f3c",
			"7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2 73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7"},
		{"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
			"4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a 571b242012fb7ae07fa9baac3df102e0 08b0e27988598881d920a9e64f5615cd"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
			"f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d 39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b"},
	}
	for _, tc := range cases {
		c, want := secretKey(t, unhex(t, tc.key)), unhex(t, tc.want)
		p := parameters(fmt.Sprintf("A%dCBC", 4*len(tc.key)), plain)
		p.IV = iv
		sealed := cipherCall("encrypt").must(t, c, p)
		if !bytes.Equal(sealed.Result, want) || !bytes.Equal(sealed.IV, iv) {
			t.Errorf("%s: got %x, iv %x", *p.Algorithm, sealed.Result, sealed.IV)
		}
		p.Value = want
		if opened := cipherCall("decrypt").must(t, c, p); !bytes.Equal(opened.Result, plain) || opened.IV != nil {
			t.Errorf("%s: opened %x, iv %x", *p.Algorithm, opened.Result, opened.IV)
		}
		paddedBlocks(t, c, 4*len(tc.key), iv, plain, want)
	}
}

// paddedBlocks checks CBCPAD: for whole blocks it is CBC and a block more; all
// other lengths come back as they were.
func paddedBlocks(t *testing.T, c *azkeys.Client, bits int, iv, plain, want []byte) {
	t.Helper()
	p := parameters(fmt.Sprintf("A%dCBCPAD", bits), plain)
	p.IV = iv
	if sealed := cipherCall("encrypt").must(t, c, p); len(sealed.Result) != len(want)+16 || !bytes.HasPrefix(sealed.Result, want) {
		t.Errorf("%s: %x", *p.Algorithm, sealed.Result)
	}
	for n := 1; n < 34; n++ {
		p.Value = plain[:n]
		p.Value = cipherCall("encrypt").must(t, c, p).Result
		if len(p.Value) != n+16-n%16 {
			t.Errorf("%s: %d bytes of %d", *p.Algorithm, len(p.Value), n)
		}
		if opened := cipherCall("decrypt").must(t, c, p); !bytes.Equal(opened.Result, plain[:n]) {
			t.Errorf("%s: %d bytes come back as %x", *p.Algorithm, n, opened.Result)
		}
	}
}

// Test cases 4, 10 and 16 of the GCM specification (McGrew and Viega, appendix
// B). The vault chooses its own iv, so what it seals is opened by the library.
func TestGCMVectors(t *testing.T) {
	t.Parallel()
	const half = "feffe9928665731c6d6a8f9467308308"
	plain := unhex(t, "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
	aad := unhex(t, "feedfacedeadbeeffeedfacedeadbeefabaddad2")
	cases := []struct{ key, value, tag string }{
		{half, "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
			"5bc94fbc3221a5db94fae95ae7121a47"},
		{half + half[:16], "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
			"2519498e80f1478f37ba55bd6d27618c"},
		{half + half, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
			"76fc6ece0f4e1768cddf8853bb2d551b"},
	}
	for _, tc := range cases {
		c := secretKey(t, unhex(t, tc.key))
		alg := azkeys.EncryptionAlgorithm(fmt.Sprintf("A%dGCM", 4*len(tc.key)))
		opened := cipherCall("decrypt").must(t, c, azkeys.KeyOperationParameters{Algorithm: &alg, Value: unhex(t, tc.value),
			IV: unhex(t, "cafebabefacedbaddecaf888"), AuthenticationTag: unhex(t, tc.tag), AdditionalAuthenticatedData: aad})
		if !bytes.Equal(opened.Result, plain) || opened.IV != nil || opened.AuthenticationTag != nil || opened.AdditionalAuthenticatedData != nil {
			t.Errorf("%s: opened %+v", alg, opened)
		}
		for _, aad := range [][]byte{nil, aad} {
			p := azkeys.KeyOperationParameters{Algorithm: &alg, Value: plain, AdditionalAuthenticatedData: aad}
			first, second := cipherCall("encrypt").must(t, c, p), cipherCall("encrypt").must(t, c, p)
			if bytes.Equal(first.IV, second.IV) {
				t.Errorf("%s: iv %x twice", alg, first.IV)
			}
			openByLibrary(t, unhex(t, tc.key), first, plain, aad)
			openByLibrary(t, unhex(t, tc.key), second, plain, aad)
		}
	}
}

func openByLibrary(t *testing.T, key []byte, sealed azkeys.KeyOperationResult, plain, aad []byte) {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed.IV) != 12 || len(sealed.AuthenticationTag) != 16 || !bytes.Equal(sealed.AdditionalAuthenticatedData, aad) {
		t.Fatalf("answer %+v", sealed)
	}
	opened, err := aead.Open(nil, sealed.IV, append(sealed.Result, sealed.AuthenticationTag...), aad)
	if err != nil || !bytes.Equal(opened, plain) {
		t.Errorf("the library opens %x, %v", opened, err)
	}
}

// Test cases 1 and 2 of RFC 4231. HMAC fills a key up with zeros, so that theirs
// may be as long as the vault's.
func TestHMACVectors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		key  []byte
		data string
		want map[string]string
	}{
		{append(bytes.Repeat([]byte{0x0b}, 20), 0, 0, 0, 0), "Hi There", map[string]string{
			"HS256": "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
			"HS384": "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
			"HS512": "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
		{append([]byte("Jefe"), make([]byte, 12)...), "what do ya want for nothing?", map[string]string{
			"HS256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
			"HS384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
			"HS512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
	}
	for _, tc := range cases {
		c := secretKey(t, tc.key)
		key, err := c.GetKey(t.Context(), "k", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		for alg, want := range tc.want {
			signed, err := c.Sign(t.Context(), "k", "", azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithm(alg)), Value: []byte(tc.data)}, nil)
			if err != nil || hex.EncodeToString(signed.Result) != want {
				t.Errorf("%s: got %x, %v, want %s", alg, signed.Result, err, want)
			}
			verifyBothWays(t, c, key.Key.KID, alg, []byte(tc.data), unhex(t, want))
		}
	}
}

func TestOctKeys(t *testing.T) {
	t.Parallel()
	for _, hsm := range []bool{false, true} {
		server := start(t, localvault.Config{ManagedHSM: hsm})
		c := clientFor(t, "https://pool.managedhsm.azure.net", server.RoundTripper())
		for bits, want := range map[*int32]int{nil: 256, new(int32(128)): 128, new(int32(192)): 192} {
			made, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeOctHSM), KeySize: bits}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if *made.Key.Kty != azkeys.KeyTypeOctHSM || made.Key.K != nil || len(made.Key.KeyOps) != 6 {
				t.Errorf("made %+v", made.Key)
			}
			p := azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithm(fmt.Sprintf("A%dGCM", want))), Value: []byte{1}}
			cipherCall("encrypt").must(t, c, p)
		}
	}
}

func TestOctKeysRefused(t *testing.T) {
	t.Parallel()
	vault := client(t, start(t, localvault.Config{}))
	create := func(p azkeys.CreateKeyParameters) error {
		_, err := vault.CreateKey(t.Context(), "k", p, nil)
		return err
	}
	// The words and the inner code of real vaults.
	err := create(azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeOct)})
	wantRefusal(t, err, 400, "BadParameter", "KeyTypeNotSupported")
	wantText(t, err, "Invalid kty value: oct")
	for name, p := range map[string]azkeys.CreateKeyParameters{
		"size":     {Kty: new(azkeys.KeyTypeOctHSM), KeySize: new(int32(512))},
		"curve":    {Kty: new(azkeys.KeyTypeOctHSM), Curve: new(azkeys.CurveNameP256)},
		"exponent": {Kty: new(azkeys.KeyTypeOctHSM), PublicExponent: new(int32(3))},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, create(p), 400, "BadParameter", "") })
	}
	for _, k := range [][]byte{nil, make([]byte, 15), make([]byte, 64)} {
		jwk := &azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeOctHSM), K: k}
		_, err := vault.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: jwk}, nil)
		wantRefusal(t, err, 400, "BadParameter", "")
	}
	jwk := &azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeOct), K: make([]byte, 16)}
	_, err = vault.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: jwk}, nil)
	wantRefusal(t, err, 400, "BadParameter", "KeyTypeNotSupported")

	_, c := oneKey(t, localvault.KeySpec{Type: "oct-HSM"})
	wantRefusal(t, signWith(t.Context(), c, "k", "", "HS256", []byte{}), 400, "BadParameter", "")
	wantRefusal(t, signWith(t.Context(), c, "k", "", "RS256", make([]byte, 32)), 400, "BadParameter", "")
	wantRefusal(t, signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)), 400, "BadParameter", "")
	_, c = oneKey(t, localvault.KeySpec{Type: "RSA"})
	wantRefusal(t, signWith(t.Context(), c, "k", "", "HS256", make([]byte, 32)), 400, "BadParameter", "")
}
