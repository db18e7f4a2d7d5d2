package schema

import (
	"fmt"
	"math"
)

// The bounds of an item's parts in bytes, beyond those that follow from an
// algorithm's blocks and hash. The bounds of RSA hold for a key of 4096 bits;
// the bound of a smaller key is known only when the key is.
const (
	MaxSignatureToVerify = 1024 // of ECDSA and HMAC; one of a wrong length is not refused, it does not verify
	CBCIVSize            = 16   // iv of AES-CBC
	GCMIVSize            = 12   // iv of AES-GCM
	GCMTagSize           = 16   // authentication tag of AES-GCM
)

// size says how many bytes a part of an item must have. The zero size is that
// of a part that must be left out.
type size struct {
	least int // 0: the part may be left out
	most  int
	block int    // the bytes are a multiple of it; 0: any
	out   string // why the part must be left out, when there is more to say
}

// sizes are the sizes of all parts, by operation and algorithm.
type sizes [parts]size

func exactly(n int) size           { return size{least: n, most: n} }
func between(least, most int) size { return size{least: least, most: most} }
func blocks(least, block int) size { return size{least: least, most: math.MaxInt, block: block} }

// sizes returns the rules for the items of a job whose operation takes its
// algorithm.
func (j *Job) sizes() (s sizes) {
	a := j.Algorithm
	switch j.Operation {
	case Sign:
		s[digestPart] = exactly(a.Hash().Size())
	case Verify:
		s[digestPart] = exactly(a.Hash().Size())
		s[signaturePart] = between(1, a.maxToVerify())
	case Encrypt, WrapKey:
		s[plaintextPart] = a.plaintext()
	case Decrypt, UnwrapKey:
		s[ciphertextPart] = a.ciphertext()
	}
	switch a.Family() {
	case AESCBC:
		s[ivPart] = exactly(CBCIVSize)
	case AESGCM:
		s[aadPart] = between(0, math.MaxInt)
		s[ivPart].out = "the vault makes it"
		if j.Operation == Decrypt {
			s[ivPart], s[tagPart] = exactly(GCMIVSize), exactly(GCMTagSize)
		}
	}
	return s
}

// plaintext returns the size of what a encrypts or wraps. No bytes at all are
// refused: no page of Key Vault says what becomes of them.
func (a Algorithm) plaintext() size {
	switch a.Family() {
	case RSAES, OAEP:
		return between(1, a.maxPlaintext())
	case AESKW:
		return blocks(16, 8)
	case AESCBC:
		if !a.padded() {
			return blocks(16, 16)
		}
	}
	return between(1, math.MaxInt)
}

// ciphertext returns the size of what a decrypts or unwraps.
func (a Algorithm) ciphertext() size {
	switch a.Family() {
	case RSAES, OAEP:
		return between(1, maxRSA)
	case AESKW:
		return blocks(24, 8)
	case AESCBC:
		return blocks(16, 16)
	}
	return between(1, math.MaxInt)
}

// maxPlaintext returns how many bytes a of RSA takes with a key of 4096 bits:
// 501, 470 or 446. Source: RFC 8017, sections 7.1.1 and 7.2.1.
func (a Algorithm) maxPlaintext() int {
	if a.Family() == OAEP {
		return maxRSA - 2*a.Hash().Size() - 2
	}
	return maxRSA - 11
}

// maxToVerify returns the length of the longest signature that is looked at.
func (a Algorithm) maxToVerify() int {
	switch a.Family() {
	case PKCS1, PSS:
		return maxRSA
	}
	return MaxSignatureToVerify
}

// padded reports whether a is AES-CBC with padding.
func (a Algorithm) padded() bool { return a == A128CBCPAD || a == A192CBCPAD || a == A256CBCPAD }

// fits reports whether a part of n bytes is as s asks.
func (s *size) fits(n int) bool {
	return n >= s.least && n <= s.most && (s.block == 0 || n%s.block == 0)
}

// wrong says what is wrong with a part of n bytes that does not fit.
func (s size) wrong(n int, j *Job) string {
	doing := string(j.Operation)
	if j.Algorithm != "" {
		doing += " with " + string(j.Algorithm)
	}
	switch {
	case s.most == 0 && s.out != "":
		return fmt.Sprintf("must be left out for %s: %s", doing, s.out)
	case s.most == 0:
		return fmt.Sprintf("must be left out: %s does not take it", doing)
	case n == 0:
		return fmt.Sprintf("is missing; must be %s for %s", s, j.Algorithm)
	}
	return fmt.Sprintf("must be %s for %s, is %d", s, j.Algorithm, n)
}

// String puts s into words.
func (s size) String() string {
	var words string
	switch {
	case s.least == s.most:
		return fmt.Sprintf("%d bytes", s.most)
	case s.most == math.MaxInt:
		words = fmt.Sprintf("at least %d bytes", s.least)
	default:
		words = fmt.Sprintf("%d to %d bytes", s.least, s.most)
	}
	if s.block > 0 {
		words += fmt.Sprintf(", in whole blocks of %d,", s.block)
	}
	return words
}
