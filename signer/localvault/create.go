package localvault

import (
	"fmt"
	"slices"
)

type createRequest struct {
	settings
	Kty      string `json:"kty"`
	Size     int    `json:"key_size"`
	Curve    string `json:"crv"`
	Exponent int    `json:"public_exponent"`
}

// createKey makes a key, or a new version of it.
func (s *Server) createKey(c *call) (any, error) {
	var req createRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if s.managedHSM && slices.Contains([]string{"RSA", "EC", "oct"}, req.Kty) {
		req.Kty += "-HSM" // it knows no other
	}
	if err := s.checkType(req.Kty); err != nil {
		return nil, err
	}
	if err := req.settings.check(); err != nil {
		return nil, err
	}
	if err := s.keys.checkFree(c.name); err != nil {
		return nil, err
	}
	if err := s.charge(s.meter.createWindow(isHSM(req.Kty)), 1); err != nil {
		return nil, err
	}
	key, err := recipe{kty: req.Kty, bits: req.Size, curve: req.Curve, exponent: req.Exponent}.generate()
	if err != nil {
		return nil, err
	}
	return s.keep(c, version{kty: req.Kty, material: key}, req.settings)
}

type importRequest struct {
	settings
	Key privateJWK `json:"key"`
	HSM bool       `json:"Hsm"`
}

// importKey takes in a key that was made elsewhere.
func (s *Server) importKey(c *call) (any, error) {
	var req importRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := s.charge(&s.meter.imports, 1); err != nil {
		return nil, err
	}
	kty := req.Key.Kty
	if (req.HSM || s.managedHSM) && !isHSM(kty) {
		kty += "-HSM"
	}
	if err := s.checkType(kty); err != nil {
		return nil, err
	}
	key, err := req.Key.parse()
	if err != nil {
		return nil, err
	}
	if req.settings.Ops == nil && len(req.Key.Ops) > 0 { // an empty list in a JWK means nothing was said
		req.settings.Ops = req.Key.Ops
	}
	return s.keep(c, version{kty: kty, material: key}, req.settings)
}

// keep stores a new version and answers with it.
func (s *Server) keep(c *call, v version, set settings) (any, error) {
	v.attributes = s.freshAttributes()
	if older, err := s.keys.find(c.name, ""); err == nil && set.Attributes.Exportable != nil && *set.Attributes.Exportable {
		v.release = older.release // unless the request brings one
	}
	v, err := v.with(set)
	if err != nil {
		return nil, err
	}
	stored, err := s.keys.add(c.name, v)
	if err != nil {
		return nil, err
	}
	return c.bundle(stored), nil
}

// checkType tells whether this kind of vault holds that kind of key.
func (s *Server) checkType(kty string) error {
	switch kty {
	case "RSA", "EC":
		if s.managedHSM {
			return badParameter("kty", fmt.Sprintf("a Managed HSM holds no %s keys, only %s-HSM", kty, kty))
		}
		return nil
	case "RSA-HSM", "EC-HSM", "oct-HSM":
		return nil
	}
	return keyTypeNotSupported(kty)
}
