package localbus

// DeleteQueue removes a queue as the management API does.
func (s *Server) DeleteQueue(name string) error { return s.broker.Delete(name) }

// CreateQueue makes a queue as the management API does.
func (s *Server) CreateQueue(name string) error {
	_, err := s.broker.Create(name, QueueProperties{})
	return err
}

// Waiting returns the bytes of responses that wait for credit.
func (s *Server) Waiting() (n int) {
	for _, c := range s.open() {
		c.mu.Lock()
		for _, session := range c.sessions {
			for _, l := range session.links {
				if m := l.mailbox(); m != nil {
					for _, b := range m.pending {
						n += len(b)
					}
				}
			}
		}
		c.mu.Unlock()
	}
	return n
}
