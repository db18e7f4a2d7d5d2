package keyvault_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
)

// open returns a client of a vault in memory with an RSA and an EC key. In
// production Credential is one of azidentity, and Transport stays nil.
func open() *keyvault.Client {
	server, err := localvault.New(localvault.Config{Keys: []localvault.KeySpec{{Name: "invoices", Type: "RSA"}, {Name: "tls", Type: "EC"}}})
	if err != nil {
		panic(err)
	}
	client, err := keyvault.New(keyvault.Config{Credential: &fake.TokenCredential{}, Transport: server.RoundTripper()})
	if err != nil {
		panic(err)
	}
	return client
}

func Example() {
	ctx, client := context.Background(), open()
	key, err := client.Resolve(ctx, signer.Ref{Vault: "https://example.vault.azure.net", Name: "invoices"})
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256([]byte("an invoice"))
	signature, err := client.Sign(ctx, key, schema.PS256, digest[:])
	if err != nil {
		fmt.Println(err)
		return
	}
	valid, err := client.Verify(ctx, key, schema.PS256, digest[:], signature) // costs no call
	fmt.Println(valid, err)
	// Output: true <nil>
}

func ExampleClient_Encrypt() {
	ctx, client := context.Background(), open()
	key, err := client.Resolve(ctx, signer.Ref{Vault: "https://example.vault.azure.net", Name: "invoices"})
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, err := client.Encrypt(ctx, key, schema.RSAOAEP256, signer.Plain{Text: []byte("a short secret")}) // costs no call
	if err != nil {
		fmt.Println(err)
		return
	}
	secret, err := client.Decrypt(ctx, key, schema.RSAOAEP256, sealed)
	fmt.Println(secret, string([]byte(secret)), err)
	// Output: [redacted] a short secret <nil>
}

// A key in a vault signs a certificate, and then serves TLS with it.
func ExampleClient_PrivateKey() {
	key, err := open().PrivateKey(context.Background(), signer.Ref{Vault: "https://example.vault.azure.net", Name: "tls"})
	if err != nil {
		fmt.Println(err)
		return
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.org"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	fmt.Println(len(config.Certificates), "certificate")
	// Output: 1 certificate
}

// A key in a vault decrypts what anyone encrypts with its public half.
func ExampleDecrypter() {
	key, err := open().PrivateKey(context.Background(), signer.Ref{Vault: "https://example.vault.azure.net", Name: "invoices"})
	if err != nil {
		fmt.Println(err)
		return
	}
	decrypter, err := key.Decrypter()
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, key.Public().(*rsa.PublicKey), []byte("hello"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	opened, err := decrypter.Decrypt(nil, sealed, &rsa.OAEPOptions{Hash: crypto.SHA256})
	fmt.Println(string(opened), err)
	// Output: hello <nil>
}
