package schema

// minMessage is how many bytes of each error's message survive Result.Encode,
// however full the result is.
const minMessage = 64

// maxRSA is the size of a signature or a ciphertext by the largest RSA key of
// Key Vault, 4096 bits.
// Source: https://learn.microsoft.com/azure/key-vault/keys/about-keys
const maxRSA = 4096 / 8

// MaxSignature returns the size in bytes of the longest signature that a makes
// in format f, or 0 for an algorithm that makes none. For RSA it assumes a key
// of 4096 bits, the largest in Key Vault.
func (a Algorithm) MaxSignature(f SignatureFormat) int {
	switch {
	case a.Family() == PKCS1, a.Family() == PSS:
		return maxRSA
	case a.Family() == HMAC:
		return a.Hash().Size()
	case a == ES256, a == ES256K:
		return pick(f, 64, 72)
	case a == ES384:
		return pick(f, 96, 104)
	case a == ES512:
		return pick(f, 132, 139)
	}
	return 0
}

// pick returns the size that belongs to f. A DER signature is a SEQUENCE of
// two INTEGERs, each a byte longer than the curve where its top bit may be set.
func pick(f SignatureFormat, jose, der int) int {
	if f == DER {
		return der
	}
	return jose
}

// The constant parts of an encoded result, see MaxResultBytes.
const (
	resultFrame     = `{"schema":"` + ResultVersion + `","id":,"status":"succeeded","kid":"","traceId":"","labels":,"items":[]}`
	itemFrame       = `{"id":,},`
	signatureFrame  = `"signature":""`
	validFrame      = `"valid":false`
	ciphertextFrame = `"ciphertext":""`
	ivFrame         = `,"iv":""`
	tagFrame        = `,"tag":""`
	plaintextFrame  = `"plaintext":""`
	publicKeyFrame  = `"publicKey":{"jwk":,"pem":""}`
	errorFrame      = `"error":{"code":"","message":"","retryable":false}`
)

// maxPEMLines is how many line feeds a PEM of MaxPEM bytes has at most, each
// of which takes a byte more in JSON.
const maxPEMLines = MaxPEM/65 + 2

// MaxResultBytes returns how many bytes the result of j can take at worst.
// A job for which this is over Limits.MaxResultBytes is refused.
//
//	101 + id + 512 (kid) + 32 (traceId) + labels
//	+ for each item: 9 + id + the larger of
//	    138, an error: 50 + 24 (code) + 64 (message)
//	    sign: 14 + b(longest signature), 697 for RSA
//	    verify: 13
//	    encrypt: 15 + b(ciphertext), 698 for RSA;
//	        AES-CBC: + 30 (iv); AES-GCM: + 24 (iv) + 31 (tag)
//	    wrapKey: 15 + b(ciphertext), 698 for RSA
//	    decrypt, unwrapKey: 14 + b(plaintext)
//	    getPublicKey: 29 + 2,048 (jwk) + 1,041 (pem)
//
// where id and labels count as JSON, with quotes and escapes, 0 without labels,
// and b is the length in base64url. The ciphertext of AES is as long as the
// plaintext; it is 8 bytes longer for key wrap, and 1 to 16 bytes longer for
// AES-CBC with padding, to the next whole block. The plaintext of AES is as
// long as the ciphertext, 8 bytes shorter for key wrap, and at least 1 byte
// shorter for AES-CBC with padding; that of RSA has at most 501 bytes for
// RSA1_5, 470 for RSA-OAEP, 446 for RSA-OAEP-256.
func (j Job) MaxResultBytes() int {
	const failed = len(errorFrame) + MaxCode + minMessage
	total := len(resultFrame) + quotedLen(j.ID) + MaxKID + traceIDSize + len(appendLabels(nil, j.Labels))
	for i := range j.Items {
		item := &j.Items[i]
		total += len(itemFrame) + quotedLen(item.ID) + max(j.maxOutcome(item), failed)
	}
	return total
}

// maxOutcome returns how many bytes the longest outcome of an item takes.
func (j *Job) maxOutcome(item *Item) int {
	a := j.Algorithm
	switch j.Operation {
	case Sign:
		return len(signatureFrame) + base64url.EncodedLen(a.MaxSignature(j.Format))
	case Verify:
		return len(validFrame)
	case Encrypt:
		return len(ciphertextFrame) + base64url.EncodedLen(a.maxSealed(len(item.Plaintext))) + a.maxExtras()
	case WrapKey:
		return len(ciphertextFrame) + base64url.EncodedLen(a.maxSealed(len(item.Plaintext)))
	case Decrypt, UnwrapKey:
		return len(plaintextFrame) + base64url.EncodedLen(a.maxOpened(len(item.Ciphertext)))
	case GetPublicKey:
		return len(publicKeyFrame) + MaxJWK + MaxPEM + maxPEMLines
	}
	return 0
}

// maxSealed returns the longest ciphertext of n bytes, in bytes.
func (a Algorithm) maxSealed(n int) int {
	switch {
	case a.Family() == RSAES, a.Family() == OAEP:
		return maxRSA
	case a.Family() == AESKW:
		return n + 8
	case a.padded():
		return n/CBCIVSize*CBCIVSize + CBCIVSize
	}
	return n
}

// maxExtras returns what the iv and the tag take beside a ciphertext.
func (a Algorithm) maxExtras() int {
	switch a.Family() {
	case AESCBC:
		return len(ivFrame) + base64url.EncodedLen(CBCIVSize)
	case AESGCM:
		return len(ivFrame) + base64url.EncodedLen(GCMIVSize) + len(tagFrame) + base64url.EncodedLen(GCMTagSize)
	}
	return 0
}

// maxOpened returns the longest plaintext of a ciphertext of n bytes, in bytes.
func (a Algorithm) maxOpened(n int) int {
	switch {
	case a.Family() == RSAES, a.Family() == OAEP:
		return a.maxPlaintext()
	case a.Family() == AESKW:
		return n - 8
	case a.padded():
		return n - 1
	}
	return n
}
