package localbus

// DeleteQueue removes a queue as the management API does.
func (s *Server) DeleteQueue(name string) error { return s.broker.Delete(name) }

// CreateQueue makes a queue as the management API does.
func (s *Server) CreateQueue(name string) error {
	_, err := s.broker.Create(name, QueueProperties{})
	return err
}
