package localvault

import "fmt"

// sealer is material that encrypts and decrypts. A value that does not decrypt
// is [undecipherable], whatever the reason.
type sealer interface {
	encrypt(alg encryption, plain message) (message, error)
	decrypt(alg encryption, sealed message) ([]byte, error)
}

// message is a plaintext or a ciphertext with what belongs to it.
type message struct{ value, iv, tag, aad []byte }

type cipherRequest struct {
	Alg   string `json:"alg"`
	Value octets `json:"value"` // plaintext or ciphertext
	IV    octets `json:"iv"`
	Tag   octets `json:"tag"`
	AAD   octets `json:"aad"`
}

type cipherAnswer struct {
	Kid   string `json:"kid"`
	Alg   string `json:"alg,omitempty"` // Managed HSM only
	Value octets `json:"value"`
	IV    octets `json:"iv,omitempty"`
	Tag   octets `json:"tag,omitempty"`
	AAD   octets `json:"aad,omitempty"`
}

// encrypt encrypts or wraps.
func (s *Server) encrypt(c *call) (any, error) {
	alg, key, plain, err := c.cipherRequest(true)
	if err != nil {
		return nil, err
	}
	sealed, err := key.encrypt(alg, plain)
	if err != nil {
		return nil, err
	}
	return s.cipherAnswer(c, alg, sealed), nil
}

// decrypt decrypts or unwraps. The answer has neither iv nor aad.
func (s *Server) decrypt(c *call) (any, error) {
	alg, key, sealed, err := c.cipherRequest(false)
	if err != nil {
		return nil, err
	}
	value, err := key.decrypt(alg, sealed)
	if err != nil {
		return nil, err
	}
	return s.cipherAnswer(c, alg, message{value: value}), nil
}

// cipherRequest reads a request and checks all of it that can be checked
// without the key itself.
func (c *call) cipherRequest(encrypts bool) (encryption, sealer, message, error) {
	var req cipherRequest
	if err := c.decode(&req); err != nil {
		return encryption{}, nil, message{}, err
	}
	alg, err := pickEncryption(req.Alg, c.route.keyOp, c.held.material.class())
	if err != nil {
		return encryption{}, nil, message{}, err
	}
	if err := req.check(alg, encrypts); err != nil {
		return encryption{}, nil, message{}, err
	}
	key, ok := c.held.material.(sealer)
	if !ok {
		return encryption{}, nil, message{}, badParameter("alg", "the key does not encrypt")
	}
	return alg, key, message{value: req.Value, iv: req.IV, tag: req.Tag, aad: req.AAD}, nil
}

// check compares what the request brings with what the algorithm takes.
func (r cipherRequest) check(alg encryption, encrypts bool) error {
	if len(r.Value) == 0 { // SDKs leave out what is empty
		return badParameter("value", "missing or empty")
	}
	iv, tag := alg.sizes(encrypts)
	if len(r.IV) != iv {
		return badParameter("iv", wantSize(alg, len(r.IV), iv))
	}
	if len(r.Tag) != tag {
		return badParameter("tag", wantSize(alg, len(r.Tag), tag))
	}
	if len(r.AAD) > 0 && alg.mode != gcm {
		return badParameter("aad", fmt.Sprintf("%s takes none", alg.name))
	}
	return nil
}

func wantSize(alg encryption, got, want int) string {
	if want == 0 {
		return fmt.Sprintf("%d bytes; %s takes none in this operation", got, alg.name)
	}
	return fmt.Sprintf("%d bytes; %s needs %d", got, alg.name, want)
}

func (s *Server) cipherAnswer(c *call, alg encryption, m message) cipherAnswer {
	answer := cipherAnswer{Kid: c.kid(s.named(c.held)), Value: m.value, IV: m.iv, Tag: m.tag, AAD: m.aad}
	if s.managedHSM {
		answer.Alg = s.namedAlgorithm(alg.name)
	}
	s.spoil(&answer)
	return answer
}

// undecipherable does not tell why, so that nobody learns from refusals.
func undecipherable() *problem {
	return badParameter("value", "it does not decrypt with this key and algorithm")
}
