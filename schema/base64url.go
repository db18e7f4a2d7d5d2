package schema

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
)

// base64url is the one form of binary values: RFC 4648, section 5, without
// padding, as in RFC 7515, section 2. Strict: the unused bits of the last
// character are zero, so that each value has exactly one text.
var base64url = base64.RawURLEncoding.Strict()

const wantBase64url = "must be base64url without padding, as in JOSE (RFC 7515, section 2)"

// appendDecoded appends the bytes that text stands for. When it stands for
// none, it returns what is wrong instead, without repeating the text.
func appendDecoded(dst, text []byte) (out []byte, wrong string) {
	out, err := base64url.AppendDecode(dst, text)
	if err != nil || base64url.EncodedLen(len(out)-len(dst)) != len(text) {
		return dst, wantBase64url + "; " + diagnose(text)
	}
	return out, ""
}

// diagnose says why text is not base64url without padding.
func diagnose(text []byte) string {
	standard := bytes.ContainsAny(text, "+/")
	padded := bytes.HasSuffix(text, []byte("="))
	switch {
	case standard && padded:
		return "it is standard base64 with padding: replace + by -, / by _, and drop the = at the end"
	case standard:
		return "it is standard base64: replace + by - and / by _"
	case padded:
		return "it has padding: drop the = at the end"
	}
	if i := bytes.IndexFunc(text, notBase64url); i >= 0 {
		return fmt.Sprintf("the character at offset %d is not in its alphabet", i)
	}
	if len(text)%4 == 1 {
		return fmt.Sprintf("no value has %d characters: it was cut short", len(text))
	}
	return "the unused bits of its last character are not zero: it was cut short or changed"
}

func notBase64url(c rune) bool {
	switch {
	case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		return false
	}
	return true
}

// hexadecimal reports whether text is a digest in hexadecimal digits of one
// case. Each of them is also base64url, and 64 of them decode to the length of
// a SHA-384 digest, so the length alone does not find the mistake. A true
// base64url text looks like this once in 2^128; the one exception, a digest of
// zero bytes, has no decimal digit.
func hexadecimal(text []byte) bool {
	switch len(text) {
	case 40, 56, 64, 96, 128:
	default:
		return false
	}
	var digits, lower, upper int
	for _, c := range text {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'f':
			lower++
		case 'A' <= c && c <= 'F':
			upper++
		default:
			return false
		}
	}
	return digits > 0 && (lower == 0 || upper == 0)
}

// appendDigest appends the digest that text stands for. Otherwise it returns
// what is wrong. The length is left to the check of the whole job.
func appendDigest(dst, text []byte) (out []byte, wrong string) {
	if hexadecimal(text) {
		return dst, fmt.Sprintf("%s; it is hexadecimal (%d digits)", wantBase64url, len(text))
	}
	return appendDecoded(dst, text)
}

// appendHash appends the digest of data by the hash of a, a signature
// algorithm.
func appendHash(dst []byte, a Algorithm, data []byte) []byte {
	switch a.Hash() {
	case crypto.SHA256:
		sum := sha256.Sum256(data)
		return append(dst, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(data)
		return append(dst, sum[:]...)
	default:
		sum := sha512.Sum512(data)
		return append(dst, sum[:]...)
	}
}
