package localvault

// deletedBundle is the service's form of a deleted key.
type deletedBundle struct {
	bundle
	deletion
}

// deletion tells how long a deleted key can be had back. Dates are Unix seconds.
type deletion struct {
	RecoveryID string `json:"recoveryId,omitempty"`
	Deleted    int64  `json:"deletedDate,omitempty"`
	Purge      int64  `json:"scheduledPurgeDate,omitempty"`
}

func (c *call) deletion(e entry) deletion {
	return deletion{RecoveryID: c.base + "/deletedkeys/" + e.latest().name, Deleted: e.deleted.Unix(), Purge: e.purgeDate().Unix()}
}

func (c *call) deletedBundle(e entry) deletedBundle {
	return deletedBundle{c.bundle(e.latest()), c.deletion(e)}
}

// deleteKey deletes all versions of a key. Its name stays taken until the key
// is purged, by request or on its date.
func (s *Server) deleteKey(c *call) (any, error) {
	deleted, err := s.keys.remove(c.name)
	if err != nil {
		return nil, err
	}
	return c.deletedBundle(deleted), nil
}

func (s *Server) getDeletedKey(c *call) (any, error) {
	deleted, err := s.keys.findDeleted(c.name)
	if err != nil {
		return nil, err
	}
	return c.deletedBundle(deleted), nil
}

// recoverKey makes a deleted key what it was.
func (s *Server) recoverKey(c *call) (any, error) {
	latest, err := s.keys.recover(c.name)
	if err != nil {
		return nil, err
	}
	return c.bundle(latest), nil
}

// purgeKey answers nothing: 204.
func (s *Server) purgeKey(c *call) (any, error) { return nil, s.keys.purge(c.name) }
