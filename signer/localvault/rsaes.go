package localvault

import (
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // for crypto.SHA1
	_ "crypto/sha256" // for crypto.SHA256
	"fmt"
)

// encrypt makes one block of RSA.
func (k rsaKey) encrypt(alg encryption, plain message) (message, error) {
	public := &k.pair.PublicKey
	if got, most := len(plain.value), k.room(alg); got > most {
		return message{}, badParameter("value", fmt.Sprintf("%d bytes; %s with a key of %d bits takes at most %d", got, alg.name, k.pair.N.BitLen(), most))
	}
	var value []byte
	var err error
	if alg.mode == oaep {
		value, err = rsa.EncryptOAEP(alg.hash.New(), rand.Reader, public, plain.value, nil)
	} else {
		value, err = rsa.EncryptPKCS1v15(rand.Reader, public, plain.value) //nolint:staticcheck // the service has it
	}
	if err != nil {
		return message{}, fmt.Errorf("encrypt with %s: %w", alg.name, err)
	}
	return message{value: value}, nil
}

// room is the length of the longest plaintext (RFC 8017 sections 7.1.1 and 7.2.1).
func (k rsaKey) room(alg encryption) int {
	if alg.mode == oaep {
		return k.pair.Size() - 2*alg.hash.Size() - 2
	}
	return k.pair.Size() - 11
}

// decrypt takes a block as long as the modulus.
func (k rsaKey) decrypt(alg encryption, sealed message) ([]byte, error) {
	if len(sealed.value) != k.pair.Size() {
		return nil, undecipherable()
	}
	var value []byte
	var err error
	if alg.mode == oaep {
		value, err = rsa.DecryptOAEP(alg.hash.New(), nil, k.pair, sealed.value, nil)
	} else {
		value, err = rsa.DecryptPKCS1v15(nil, k.pair, sealed.value) //nolint:staticcheck // the service has it
	}
	if err != nil {
		return nil, undecipherable()
	}
	return value, nil
}
