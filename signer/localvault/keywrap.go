package localvault

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"slices"
)

const (
	wrapBlock  = 8 // half a block of AES
	wrapRounds = 6
)

// wrapIV is the initial value, which proves integrity (RFC 3394 section 2.2.3.1).
var wrapIV = [wrapBlock]byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}

// wrap wraps a key of two half blocks or more (RFC 3394 section 2.2.1).
func wrap(alg encryption, block cipher.Block, key []byte) (message, error) {
	if len(key) < 2*wrapBlock || len(key)%wrapBlock != 0 {
		return message{}, badParameter("value", fmt.Sprintf("%d bytes; %s needs 16 or more, in whole blocks of %d", len(key), alg.name, wrapBlock))
	}
	wrapped := slices.Concat(wrapIV[:], key)
	var state [2 * wrapBlock]byte // A and R[i]
	copy(state[:], wrapIV[:])
	step := uint64(0)
	for range wrapRounds {
		for at := wrapBlock; at < len(wrapped); at += wrapBlock {
			step++
			copy(state[wrapBlock:], wrapped[at:])
			block.Encrypt(state[:], state[:])
			count(&state, step)
			copy(wrapped[at:], state[wrapBlock:])
		}
	}
	copy(wrapped, state[:wrapBlock])
	return message{value: wrapped}, nil
}

// unwrap undoes wrap (RFC 3394 section 2.2.2).
func unwrap(block cipher.Block, wrapped []byte) ([]byte, error) {
	if len(wrapped) < 3*wrapBlock || len(wrapped)%wrapBlock != 0 {
		return nil, undecipherable()
	}
	key := slices.Clone(wrapped[wrapBlock:])
	var state [2 * wrapBlock]byte
	copy(state[:], wrapped[:wrapBlock])
	step := uint64(wrapRounds * len(key) / wrapBlock)
	for range wrapRounds {
		for at := len(key) - wrapBlock; at >= 0; at -= wrapBlock {
			copy(state[wrapBlock:], key[at:at+wrapBlock])
			count(&state, step)
			block.Decrypt(state[:], state[:])
			copy(key[at:], state[wrapBlock:])
			step--
		}
	}
	if subtle.ConstantTimeCompare(state[:wrapBlock], wrapIV[:]) != 1 {
		return nil, undecipherable()
	}
	return key, nil
}

// count mixes the number of the step into A.
func count(state *[2 * wrapBlock]byte, step uint64) {
	binary.BigEndian.PutUint64(state[:], binary.BigEndian.Uint64(state[:])^step)
}
