package localbus

// Rights are what a rule or a token allows; they combine with |.
type Rights uint8

// The rights. Manage is for the management API.
const (
	RightSend Rights = 1 << iota
	RightListen
	RightManage
)

// Rule is a shared access rule of the namespace.
type Rule struct {
	Name   string
	Key    string // used as it stands, not decoded
	Rights Rights
}

func (s *Server) checkToken(kind, token, audience string) (claims, error) {
	return claims{rights: rightAny}, nil
}
