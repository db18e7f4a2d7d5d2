package localvault

// releasePolicy says under which conditions an exportable key may leave.
type releasePolicy struct {
	ContentType string `json:"contentType,omitempty"`
	Data        octets `json:"data"`
	Immutable   bool   `json:"immutable"`
}
