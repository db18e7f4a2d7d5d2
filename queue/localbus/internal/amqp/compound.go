package amqp

import "encoding/binary"

// inside starts the decoder of a compound payload: the count is cut off and
// the depth has grown.
func (d *decoder) inside(code byte, p []byte) (decoder, int, error) {
	in := decoder{b: p, depth: d.depth + 1, budget: d.budget}
	if in.depth > maxDepth {
		return in, 0, malformed("nested deeper than %d", maxDepth)
	}
	width := 1
	if code&0x10 != 0 {
		width = 4
	}
	head, err := in.take(width)
	if err != nil {
		return in, 0, err
	}
	count := uint32(head[0])
	if width == 4 {
		count = binary.BigEndian.Uint32(head)
	}
	if uint64(count) > uint64(max(in.budget, 0)) {
		return in, 0, malformed("count %d in %d bytes", count, len(p))
	}
	return in, int(count), nil
}

// compound reads a list, map or array.
func (d *decoder) compound(code byte, p []byte) (any, error) {
	in, count, err := d.inside(code, p)
	if err != nil {
		return nil, err
	}
	defer func() { d.budget = in.budget }()
	var v any
	switch code {
	case codeMap8, codeMap32:
		v, err = in.entries(count)
	case codeArray8, codeArray32:
		v, err = in.array(count)
	default:
		v, err = in.list(count)
	}
	if err == nil && len(in.b) > 0 {
		err = malformed("%d bytes left in a compound value", len(in.b))
	}
	return v, err
}

func (d *decoder) list(count int) (any, error) {
	items := make([]any, 0, min(count, len(d.b)))
	for range count {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

func (d *decoder) entries(count int) (any, error) {
	if count%2 != 0 {
		return nil, malformed("map with a key and no value")
	}
	m := make(Map, 0, min(count, len(d.b))/2)
	for range count / 2 {
		k, err := d.value()
		if err != nil {
			return nil, err
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		m = append(m, Entry{Key: k, Value: v})
	}
	return m, nil
}

// array reads elements that share one constructor, which may be described.
func (d *decoder) array(count int) (any, error) {
	code, err := d.constructor()
	if err != nil {
		return nil, err
	}
	var descriptor any
	isDescribed := code == codeDescribed
	if isDescribed {
		if descriptor, err = d.value(); err != nil {
			return nil, err
		}
		if code, err = d.constructor(); err != nil {
			return nil, err
		}
		if code == codeDescribed {
			return nil, malformed("array of doubly described values")
		}
	}
	a := Array{Code: wide(code), Items: make([]any, 0, min(count, len(d.b)+freeValues))}
	for range count {
		v, err := d.element(code)
		if err != nil {
			return nil, err
		}
		if isDescribed {
			v = Described{Descriptor: descriptor, Value: v}
		}
		a.Items = append(a.Items, v)
	}
	return a, nil
}

// element reads one element of an array and pays for it.
func (d *decoder) element(code byte) (any, error) {
	if d.budget--; d.budget < 0 {
		return nil, malformed("too many values")
	}
	return d.body(code)
}

// skip checks one value without building it.
func (d *decoder) skip() error {
	code, err := d.constructor()
	if err != nil {
		return err
	}
	return d.skipBody(code)
}

func (d *decoder) skipBody(code byte) error {
	if code == codeDescribed {
		return d.skipDescribed()
	}
	p, err := d.payload(code)
	if err != nil {
		return err
	}
	switch code {
	case codeList8, codeList32, codeMap8, codeMap32, codeArray8, codeArray32:
		return d.skipCompound(code, p)
	}
	return nil
}

func (d *decoder) skipDescribed() error {
	if d.depth++; d.depth > maxDepth {
		return malformed("nested deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	if err := d.skip(); err != nil {
		return err
	}
	return d.skip()
}

func (d *decoder) skipCompound(code byte, p []byte) error {
	in, count, err := d.inside(code, p)
	if err != nil {
		return err
	}
	defer func() { d.budget = in.budget }()
	switch code {
	case codeArray8, codeArray32:
		err = in.skipArray(count)
	case codeMap8, codeMap32:
		if count%2 != 0 {
			return malformed("map with a key and no value")
		}
		fallthrough
	default:
		for i := 0; i < count && err == nil; i++ {
			err = in.skip()
		}
	}
	if err == nil && len(in.b) > 0 {
		err = malformed("%d bytes left in a compound value", len(in.b))
	}
	return err
}

func (d *decoder) skipArray(count int) error {
	code, err := d.constructor()
	if err != nil {
		return err
	}
	if code == codeDescribed {
		if err := d.skip(); err != nil {
			return err
		}
		if code, err = d.constructor(); err != nil {
			return err
		}
		if code == codeDescribed {
			return malformed("array of doubly described values")
		}
	}
	for range count {
		if d.budget--; d.budget < 0 {
			return malformed("too many values")
		}
		if err := d.skipBody(code); err != nil {
			return err
		}
	}
	return nil
}
