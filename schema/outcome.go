package schema

// outcomes names what an item of a result may have, of which it has exactly
// one.
func outcomes() []string {
	return []string{"signature", "valid", "ciphertext", "plaintext", "publicKey", "error"}
}

// outcomes returns how many outcomes i has.
func (i *ItemResult) outcomes() int {
	n := 0
	for _, has := range []bool{
		len(i.Signature) > 0, i.Valid != nil, len(i.Ciphertext) > 0, i.Plaintext != nil, i.PublicKey != nil, i.Error != nil,
	} {
		if has {
			n++
		}
	}
	return n
}

// check returns the part of i that is at fault, as a JSON pointer without the
// item's own, and what is wrong with it.
func (i *ItemResult) check() (part, wrong string) {
	if i.outcomes() != 1 {
		return "", "must have exactly one of " + names(outcomes())
	}
	if part, wrong := i.Error.check(); wrong != "" {
		return pointer("error", part), wrong
	}
	if part, wrong := i.PublicKey.check(); wrong != "" {
		return pointer("publicKey", part), wrong
	}
	return i.checkSealed()
}

// checkSealed checks what goes with a ciphertext.
func (i *ItemResult) checkSealed() (part, wrong string) {
	switch n := len(i.IV); {
	case n > 0 && len(i.Ciphertext) == 0:
		return "/iv", "must be left out: there is no ciphertext"
	case n > 0 && n != GCMIVSize && n != CBCIVSize:
		return "/iv", "must be 12 or 16 bytes"
	}
	switch n := len(i.Tag); {
	case n > 0 && len(i.IV) == 0:
		return "/tag", "must be left out: there is no iv"
	case n > 0 && n != GCMTagSize:
		return "/tag", "must be 16 bytes"
	}
	return "", ""
}

// append writes i, with a message of at most limit bytes.
func (i *ItemResult) append(dst []byte, limit int) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendQuoted(dst, i.ID)
	dst = append(dst, ',')
	switch {
	case i.Error != nil:
		dst = i.Error.append(dst, limit)
	case i.Valid != nil && *i.Valid:
		dst = append(dst, `"valid":true`...)
	case i.Valid != nil:
		dst = append(dst, `"valid":false`...)
	case i.Plaintext != nil:
		dst = appendBinary(dst, "plaintext", i.Plaintext)
	case i.PublicKey != nil:
		dst = i.PublicKey.append(dst)
	case len(i.Signature) > 0:
		dst = appendBinary(dst, "signature", i.Signature)
	default:
		dst = i.appendSealed(dst)
	}
	return append(dst, '}')
}

// appendSealed writes a ciphertext and what goes with it.
func (i *ItemResult) appendSealed(dst []byte) []byte {
	dst = appendBinary(dst, "ciphertext", i.Ciphertext)
	if len(i.IV) > 0 {
		dst = appendBinary(append(dst, ','), "iv", i.IV)
	}
	if len(i.Tag) > 0 {
		dst = appendBinary(append(dst, ','), "tag", i.Tag)
	}
	return dst
}

// itemResult reads one field of an outcome.
func (r *reader) itemResult(item *ItemResult, field string) (bad *Invalid) {
	switch field {
	case "id":
		text, bad := r.text()
		item.ID = string(text)
		return bad
	case "valid":
		valid, bad := r.boolean()
		item.Valid = &valid
		return bad
	case "publicKey":
		item.PublicKey, bad = r.publicKey()
	case "error":
		item.Error, bad = r.errorValue()
	case "plaintext":
		var text []byte
		text, bad = r.binary(0)
		item.Plaintext = text
	case "signature":
		item.Signature, bad = r.binary(1)
	case "ciphertext":
		item.Ciphertext, bad = r.binary(1)
	case "iv":
		item.IV, bad = r.binary(1)
	case "tag":
		item.Tag, bad = r.binary(1)
	}
	return bad
}

// binary reads a binary value of least bytes or more. It is never nil.
func (r *reader) binary(least int) ([]byte, *Invalid) {
	text, bad := r.text()
	if bad != nil {
		return nil, bad
	}
	out, wrong := appendDecoded(make([]byte, 0, base64url.DecodedLen(len(text))), text)
	if wrong != "" {
		return nil, r.fault("%s", wrong)
	}
	if len(out) < least {
		return nil, r.fault("must not be empty")
	}
	return out, nil
}
