package localvault

import (
	"fmt"
	"slices"
)

// releasePolicy says under which conditions an exportable key may leave.
type releasePolicy struct {
	ContentType string `json:"contentType,omitempty"`
	Data        octets `json:"data"`
	Immutable   bool   `json:"immutable"`
}

// releaseType is the content type of a policy that names none.
const releaseType = "application/json; charset=utf-8"

// checkRelease tells whether the version and its release policy fit.
func (v *version) checkRelease() error {
	switch exportable := v.attributes.Exportable; {
	case exportable && !isHSM(v.kty):
		return badParameter("exportable", "only keys of the HSM types can be exportable")
	case exportable && v.release == nil:
		return badParameter("release_policy", "an exportable key needs one")
	case !exportable && v.release != nil:
		return badParameter("release_policy", "only an exportable key has one")
	case exportable && len(v.release.Data) == 0:
		return badParameter("release_policy", "data is missing")
	}
	return nil
}

// checkChange tells whether an update leaves alone what never changes.
func (v *version) checkChange(c settings) error {
	if e := c.Attributes.Exportable; e != nil && *e != v.attributes.Exportable {
		return badParameter("exportable", "it cannot be changed")
	}
	if c.Release != nil && v.release != nil && v.release.Immutable {
		return badParameter("release_policy", "it is immutable")
	}
	return nil
}

type releaseRequest struct {
	Target string `json:"target"`
	Enc    string `json:"enc"`
}

// releaseWraps is constant.
var releaseWraps = []string{"", "CKM_RSA_AES_KEY_WRAP", "RSA_AES_KEY_WRAP_256", "RSA_AES_KEY_WRAP_384"}

// releaseKey always refuses: here is nothing that could attest the target.
func (s *Server) releaseKey(c *call) (any, error) {
	if err := s.charge(s.meter.createWindow(isHSM(c.held.kty)), 1); err != nil {
		return nil, err
	}
	var req releaseRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Target == "" {
		return nil, badParameter("target", "missing or empty")
	}
	if !slices.Contains(releaseWraps, req.Enc) {
		return nil, badParameter("enc", fmt.Sprintf("%q is not supported", req.Enc))
	}
	if !c.held.attributes.Enabled {
		return nil, forbidden("KeyDisabled", "Operation release is not allowed on a disabled key.")
	}
	if !c.held.attributes.Exportable {
		return nil, forbidden("KeyNotExportable", "Operation release is not allowed on a key that is not exportable.")
	}
	return nil, forbidden("AccessDenied", "Target environment attestation statement cannot be verified.")
}
