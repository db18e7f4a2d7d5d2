package localvault

import "fmt"

type signRequest struct {
	Alg   string `json:"alg"`
	Value octets `json:"value"` // the digest
}

type signAnswer struct {
	Kid   string `json:"kid"`
	Alg   string `json:"alg,omitempty"` // Managed HSM only
	Value octets `json:"value"`         // the signature
}

// sign signs a digest.
func (s *Server) sign(c *call) (any, error) {
	var req signRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	key := c.held.material
	alg, err := pick(req.Alg, key, req.Value)
	if err != nil {
		return nil, err
	}
	signature, err := s.signFaulty(key, alg, req.Value)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", alg.name, err)
	}
	answer := signAnswer{Kid: c.kid(s.named(c.held)), Value: signature}
	if s.managedHSM {
		answer.Alg = s.namedAlgorithm(alg.name)
	}
	return answer, nil
}

type verifyRequest struct {
	Alg    string `json:"alg"`
	Digest octets `json:"digest"`
	Value  octets `json:"value"` // the signature
}

type verifyAnswer struct {
	Value bool `json:"value"`
}

// verify tells whether a signature is right. A signature of a wrong length is
// wrong, not an error.
func (s *Server) verify(c *call) (any, error) {
	var req verifyRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	alg, err := pick(req.Alg, c.held.material, req.Digest)
	if err != nil {
		return nil, err
	}
	return verifyAnswer{c.held.material.verify(alg, req.Digest, req.Value)}, nil
}
