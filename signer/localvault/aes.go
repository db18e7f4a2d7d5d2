package localvault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"slices"
)

const (
	blockSize = aes.BlockSize
	gcmIV     = 12
	gcmTag    = 16
)

// encrypt encrypts or wraps with AES.
func (k octKey) encrypt(alg encryption, plain message) (message, error) {
	block, err := aes.NewCipher(k.secret)
	if err != nil {
		return message{}, fmt.Errorf("make cipher for %s: %w", alg.name, err)
	}
	switch alg.mode {
	case gcm:
		return encryptGCM(block, plain)
	case cbc:
		return encryptCBC(alg, block, plain)
	case cbcPad:
		plain.value = pad(plain.value)
		return encryptCBC(alg, block, plain)
	default:
		return wrap(alg, block, plain.value)
	}
}

// decrypt decrypts or unwraps with AES.
func (k octKey) decrypt(alg encryption, sealed message) ([]byte, error) {
	block, err := aes.NewCipher(k.secret)
	if err != nil {
		return nil, fmt.Errorf("make cipher for %s: %w", alg.name, err)
	}
	switch alg.mode {
	case gcm:
		return decryptGCM(block, sealed)
	case cbc:
		return decryptCBC(block, sealed)
	case cbcPad:
		value, err := decryptCBC(block, sealed)
		if err != nil {
			return nil, err
		}
		return unpad(value)
	default:
		return unwrap(block, sealed.value)
	}
}

// encryptGCM makes the iv itself.
func encryptGCM(block cipher.Block, plain message) (message, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return message{}, fmt.Errorf("make GCM: %w", err)
	}
	iv := make([]byte, gcmIV)
	rand.Read(iv) // never fails
	sealed := aead.Seal(nil, iv, plain.value, plain.aad)
	end := len(sealed) - gcmTag
	return message{value: sealed[:end], tag: sealed[end:], iv: iv, aad: plain.aad}, nil
}

func decryptGCM(block cipher.Block, sealed message) ([]byte, error) {
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make GCM: %w", err)
	}
	value, err := aead.Open(nil, sealed.iv, slices.Concat(sealed.value, sealed.tag), sealed.aad)
	if err != nil {
		return nil, undecipherable()
	}
	return value, nil
}

// encryptCBC takes whole blocks.
func encryptCBC(alg encryption, block cipher.Block, plain message) (message, error) {
	if n := len(plain.value); n == 0 || n%blockSize != 0 {
		return message{}, badParameter("value", fmt.Sprintf("%d bytes; %s needs whole blocks of %d", n, alg.name, blockSize))
	}
	value := make([]byte, len(plain.value))
	cipher.NewCBCEncrypter(block, plain.iv).CryptBlocks(value, plain.value)
	return message{value: value, iv: plain.iv}, nil
}

func decryptCBC(block cipher.Block, sealed message) ([]byte, error) {
	if n := len(sealed.value); n == 0 || n%blockSize != 0 {
		return nil, undecipherable()
	}
	value := make([]byte, len(sealed.value))
	cipher.NewCBCDecrypter(block, sealed.iv).CryptBlocks(value, sealed.value)
	return value, nil
}

// pad returns a copy with 1 to 16 bytes more, each of which tells how many.
func pad(value []byte) []byte {
	n := blockSize - len(value)%blockSize
	return append(slices.Clip(value), slices.Repeat([]byte{byte(n)}, n)...)
}

// unpad takes one block or more.
func unpad(value []byte) ([]byte, error) {
	n := int(value[len(value)-1])
	if n == 0 || n > blockSize {
		return nil, undecipherable()
	}
	end := len(value) - n
	for _, b := range value[end:] {
		if int(b) != n {
			return nil, undecipherable()
		}
	}
	return value[:end], nil
}
