package localvault

// rotateKey makes a new version of the same kind, with the tags and the key
// operations of the latest one. It expires when the rotation policy says so.
func (s *Server) rotateKey(c *call) (any, error) {
	if err := s.charge(s.meter.createWindow(isHSM(c.held.kty)), 1); err != nil {
		return nil, err
	}
	key, err := s.keys.snapshot(c.name)
	if err != nil {
		return nil, err
	}
	next := *key.latest()
	if next.material, err = next.recipe().generate(); err != nil {
		return nil, err
	}
	exportable := next.attributes.Exportable
	next.attributes = s.freshAttributes()
	next.attributes.Exportable = exportable
	if life := key.policy.expiry(); life > 0 {
		next.attributes.Expires = new(next.attributes.Created + int64(life))
	}
	stored, err := s.keys.add(c.name, next)
	if err != nil {
		return nil, err
	}
	return c.bundle(stored), nil
}

// recipe describes a key like this one.
func (v *version) recipe() recipe {
	r := recipe{kty: v.kty, bits: v.material.class().bits, curve: v.material.class().curve}
	if key, ok := v.material.(rsaKey); ok {
		r.exponent = key.pair.E
	}
	return r
}
