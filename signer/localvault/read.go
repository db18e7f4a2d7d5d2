package localvault

// bundle is the service's form of a key version.
type bundle struct {
	Key        jwk               `json:"key"`
	Attributes attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	Release    *releasePolicy    `json:"release_policy,omitempty"`
}

func (c *call) bundle(v *version) bundle {
	key := v.material.public()
	key.Kid, key.Kty, key.Ops = c.kid(v), v.kty, v.ops
	return bundle{Key: key, Attributes: v.attributes, Tags: v.tags, Release: v.release}
}

// kid is the identifier of a version under the host that was asked.
func (c *call) kid(v *version) string { return c.base + "/keys/" + v.name + "/" + v.id }

// getKey answers with a key's public part. A disabled version is refused.
func (s *Server) getKey(c *call) (any, error) {
	if !c.held.attributes.Enabled {
		return nil, forbidden("KeyDisabled", "Operation get is not allowed on a disabled key.")
	}
	return c.bundle(c.held), nil
}
