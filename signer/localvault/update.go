package localvault

// updateKey changes attributes, key operations and tags of a version. What the
// request leaves out stays as it is.
func (s *Server) updateKey(c *call) (any, error) {
	var req settings
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	changed, err := s.keys.update(c.name, c.version, func(v version) (version, error) {
		if err := v.checkChange(req); err != nil {
			return version{}, err
		}
		v.attributes.Updated = s.clock.Now().Unix()
		return v.with(req)
	})
	if err != nil {
		return nil, err
	}
	return c.bundle(changed), nil
}
