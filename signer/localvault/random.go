package localvault

import (
	"crypto/rand"
	"fmt"
)

const maxRandom = 128

type randomRequest struct {
	Count int `json:"count"`
}

// randomBytes answers with 1 to 128 bytes.
func (s *Server) randomBytes(c *call) (any, error) {
	var req randomRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Count < 1 || req.Count > maxRandom {
		return nil, badParameter("count", fmt.Sprintf("%d; 1 to %d can be had", req.Count, maxRandom))
	}
	value := make(octets, req.Count)
	rand.Read(value) // never fails
	return blob{value}, nil
}
