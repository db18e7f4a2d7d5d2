package amqp

// Constructors of primitive types (part 1, section 1.6).
const (
	codeDescribed byte = 0x00
	codeNull      byte = 0x40
	codeTrue      byte = 0x41
	codeFalse     byte = 0x42
	codeUint0     byte = 0x43
	codeUlong0    byte = 0x44
	codeList0     byte = 0x45

	codeUbyte      byte = 0x50
	codeByte       byte = 0x51
	codeSmallUint  byte = 0x52
	codeSmallUlong byte = 0x53
	codeSmallInt   byte = 0x54
	codeSmallLong  byte = 0x55
	codeBool       byte = 0x56

	codeUshort byte = 0x60
	codeShort  byte = 0x61

	codeUint      byte = 0x70
	codeInt       byte = 0x71
	codeFloat     byte = 0x72
	codeChar      byte = 0x73
	codeDecimal32 byte = 0x74

	codeUlong     byte = 0x80
	codeLong      byte = 0x81
	codeDouble    byte = 0x82
	codeTimestamp byte = 0x83
	codeDecimal64 byte = 0x84

	codeDecimal128 byte = 0x94
	codeUUID       byte = 0x98

	codeBin8  byte = 0xa0
	codeStr8  byte = 0xa1
	codeSym8  byte = 0xa3
	codeBin32 byte = 0xb0
	codeStr32 byte = 0xb1
	codeSym32 byte = 0xb3

	codeList8   byte = 0xc0
	codeMap8    byte = 0xc1
	codeList32  byte = 0xd0
	codeMap32   byte = 0xd1
	codeArray8  byte = 0xe0
	codeArray32 byte = 0xf0
)

// Constructors for the elements of an [Array].
const (
	ArrayOfLong      = codeLong
	ArrayOfString    = codeStr32
	ArrayOfSymbol    = codeSym32
	ArrayOfTimestamp = codeTimestamp
	ArrayOfUUID      = codeUUID
)

// known reports whether a constructor is one of the above, except described.
func known(code byte) bool {
	switch code {
	case codeNull, codeTrue, codeFalse, codeUint0, codeUlong0, codeList0,
		codeUbyte, codeByte, codeSmallUint, codeSmallUlong, codeSmallInt, codeSmallLong, codeBool,
		codeUshort, codeShort, codeUint, codeInt, codeFloat, codeChar, codeDecimal32,
		codeUlong, codeLong, codeDouble, codeTimestamp, codeDecimal64, codeDecimal128, codeUUID,
		codeBin8, codeStr8, codeSym8, codeBin32, codeStr32, codeSym32,
		codeList8, codeMap8, codeList32, codeMap32, codeArray8, codeArray32:
		return true
	}
	return false
}

// wide returns the widest constructor of the same type.
func wide(code byte) byte {
	switch code {
	case codeTrue, codeFalse:
		return codeBool
	case codeUint0, codeSmallUint:
		return codeUint
	case codeUlong0, codeSmallUlong:
		return codeUlong
	case codeSmallInt:
		return codeInt
	case codeSmallLong:
		return codeLong
	case codeList0, codeList8:
		return codeList32
	case codeBin8, codeStr8, codeSym8:
		return code + 0x10
	case codeMap8:
		return codeMap32
	case codeArray8:
		return codeArray32
	}
	return code
}
