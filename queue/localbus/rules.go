package localbus

import "github.com/signmill/signmill/queue/localbus/internal/token"

type (
	// Rule is a shared access rule. An empty Scope is the whole namespace.
	Rule = token.Rule

	// Rights are what a rule or a token allows; they combine with |.
	Rights = token.Rights
)

// The rights. RightManage is for the management API.
const (
	RightSend   = token.Send
	RightListen = token.Listen
	RightManage = token.Manage
)

// defaultRules are those of the official emulator.
func defaultRules() []Rule {
	return []Rule{{Name: "RootManageSharedAccessKey", Key: "SAS_KEY_VALUE", Rights: token.All}}
}
