package amqp

// descriptors has the standard's types by their names. A descriptor is either
// the name or the number (part 1, section 1.3).
var descriptors = map[string]byte{
	"amqp:open:list":        CodeOpen,
	"amqp:begin:list":       CodeBegin,
	"amqp:attach:list":      CodeAttach,
	"amqp:flow:list":        CodeFlow,
	"amqp:transfer:list":    CodeTransfer,
	"amqp:disposition:list": CodeDisposition,
	"amqp:detach:list":      CodeDetach,
	"amqp:end:list":         CodeEnd,
	"amqp:close:list":       CodeClose,
	"amqp:error:list":       codeError,

	"amqp:received:list":            CodeReceived,
	"amqp:accepted:list":            CodeAccepted,
	"amqp:rejected:list":            CodeRejected,
	"amqp:released:list":            CodeReleased,
	"amqp:modified:list":            CodeModified,
	"amqp:source:list":              CodeSource,
	"amqp:target:list":              CodeTarget,
	"amqp:coordinator:list":         CodeCoordinator,
	"amqp:transactional-state:list": codeTransactional,

	"amqp:sasl-mechanisms:list": CodeSASLMechanisms,
	"amqp:sasl-init:list":       CodeSASLInit,
	"amqp:sasl-challenge:list":  codeSASLChallenge,
	"amqp:sasl-response:list":   codeSASLResponse,
	"amqp:sasl-outcome:list":    CodeSASLOutcome,

	"amqp:header:list":                sectionHeader,
	"amqp:delivery-annotations:map":   sectionDeliveryAnnotations,
	"amqp:message-annotations:map":    sectionMessageAnnotations,
	"amqp:properties:list":            sectionProperties,
	"amqp:application-properties:map": sectionApplicationProperties,
	"amqp:data:binary":                sectionData,
	"amqp:amqp-sequence:list":         sectionSequence,
	"amqp:amqp-value:*":               sectionValue,
	"amqp:footer:map":                 sectionFooter,
}

// Types that are only known by name: nothing here reads them.
const (
	codeTransactional byte = 0x34
	codeSASLChallenge byte = 0x42
	codeSASLResponse  byte = 0x43
)

// descriptor reads the head of a described value of one of the standard's
// types and returns its number.
func (d *decoder) descriptor() (byte, error) {
	if c, err := d.constructor(); err != nil || c != codeDescribed {
		return 0, malformed("described value expected")
	}
	code, err := d.constructor()
	if err != nil {
		return 0, err
	}
	if code == codeSym8 || code == codeSym32 {
		return d.descriptorName(code)
	}
	number, err := d.unsignedBody(code, 64)
	if err != nil {
		return 0, err
	}
	if number > 255 {
		return 0, malformed("descriptor 0x%x", number)
	}
	return byte(number), nil
}

func (d *decoder) descriptorName(code byte) (byte, error) {
	name, err := d.payload(code)
	if err != nil {
		return 0, err
	}
	number, ok := descriptors[string(name)]
	if !ok {
		return 0, malformed("descriptor %q", name)
	}
	return number, nil
}
