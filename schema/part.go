package schema

// part is one binary value of an item.
type part uint8

// The parts, in the order in which they are written. A document may give the
// digest as data instead.
const (
	digestPart part = iota
	signaturePart
	plaintextPart
	ciphertextPart
	ivPart
	aadPart
	tagPart
	parts // how many there are
)

// String returns the name of the field that holds p.
func (p part) String() string {
	return [parts]string{"digest", "signature", "plaintext", "ciphertext", "iv", "aad", "tag"}[p]
}

// part returns the place where i holds p.
func (i *Item) part(p part) *[]byte {
	switch p {
	case digestPart:
		return &i.Digest
	case signaturePart:
		return &i.Signature
	case plaintextPart:
		return (*[]byte)(&i.Plaintext)
	case ciphertextPart:
		return &i.Ciphertext
	case ivPart:
		return &i.IV
	case aadPart:
		return &i.AAD
	}
	return &i.Tag
}

// value is the text of one part of an item, as its document has it.
type value struct {
	text []byte
	part part
	data bool // what the digest is to be made of
}

// field names the value in its document.
func (v *value) field() string {
	if v.data {
		return "data"
	}
	return v.part.String()
}

// itemFields are the fields of an item. It must have the first.
func itemFields() []string {
	return []string{"id", "digest", "data", "signature", "plaintext", "ciphertext", "iv", "aad", "tag"}
}

// valueOf returns the value of a field of an item that is not its id.
func valueOf(field string, text []byte) value {
	v := value{text: text}
	switch field {
	case "data":
		v.data = true
	case "signature":
		v.part = signaturePart
	case "plaintext":
		v.part = plaintextPart
	case "ciphertext":
		v.part = ciphertextPart
	case "iv":
		v.part = ivPart
	case "aad":
		v.part = aadPart
	case "tag":
		v.part = tagPart
	}
	return v
}
