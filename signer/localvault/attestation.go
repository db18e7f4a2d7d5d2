package localvault

// attestation would prove that a key was made in a hardware module. Here it
// only has the form.
type attestation struct {
	Certificates octets `json:"certificatePemFile"`
	Private      octets `json:"privateKeyAttestation"`
	Public       octets `json:"publicKeyAttestation,omitempty"`
	Version      string `json:"version"`
}

// noProof stands where the evidence would be.
const noProof = "localvault attests nothing"

// getAttestation answers with a key and placeholders on a Managed HSM. A vault
// has no attestation.
func (s *Server) getAttestation(c *call) (any, error) {
	if !s.managedHSM {
		return nil, badParameter("name", "only keys in a Managed HSM have an attestation")
	}
	if _, err := s.getKey(c); err != nil {
		return nil, err
	}
	answer := c.bundle(c.held)
	answer.Attributes.Attestation = &attestation{Certificates: s.identity.ca, Private: octets(noProof), Version: "0"}
	if c.held.material.class().kty != "oct" {
		answer.Attributes.Attestation.Public = octets(noProof)
	}
	return answer, nil
}
