package amqp

// SASLMechanisms offers mechanisms (part 5, section 5.3.3.1).
type SASLMechanisms []Symbol

// Append writes the frame.
func (m SASLMechanisms) Append(b []byte) []byte {
	a := Array{Code: ArrayOfSymbol}
	for _, name := range m {
		a.Items = append(a.Items, name)
	}
	f := openSASL(b, CodeSASLMechanisms)
	f.value(a)
	return f.finish()
}

// SASLInit chooses a mechanism (part 5, section 5.3.3.2).
type SASLInit struct {
	Mechanism Symbol
	Response  []byte
}

// DecodeSASLInit reads a sasl-init.
func DecodeSASLInit(f Fields) (SASLInit, error) {
	i := SASLInit{Mechanism: Symbol(f.string()), Response: f.bytes()}
	return i, f.err
}

// SASLOutcome ends the SASL layer (part 5, section 5.3.3.6).
type SASLOutcome uint8

// Outcomes.
const (
	SASLOK   SASLOutcome = 0
	SASLAuth SASLOutcome = 1 // the credentials are wrong
)

// DecodeSASLOutcome reads a sasl-outcome.
func DecodeSASLOutcome(f Fields) (SASLOutcome, error) {
	o := SASLOutcome(f.ubyte().Value)
	return o, f.err
}

// Append writes the frame.
func (o SASLOutcome) Append(b []byte) []byte {
	f := openSASL(b, CodeSASLOutcome)
	f.ubyte(Some(uint8(o)))
	return f.finish()
}
