package schema

// DecodeResult reads a result. It returns a result that keeps the contract, or
// an [*Invalid]. It accepts error codes that this version does not know. The
// caller bounds the length of data; memory is a small multiple of it.
func DecodeResult(data []byte) (Result, error) {
	r := &reader{data: data, code: CodeInternal}
	result, bad := r.result()
	if bad == nil {
		bad = result.check()
	}
	if bad != nil {
		return Result{}, identified(bad, data, ResultVersion)
	}
	return result, nil
}

// result reads a whole document.
func (r *reader) result() (out Result, bad *Invalid) {
	if bad := r.open(); bad != nil {
		return out, bad
	}
	var version string
	fields := []string{"schema", "id", "status", "items", "kid", "traceId", "labels", "error"}
	bad = r.object(fields, 4, func(field string) (bad *Invalid) {
		switch field {
		case "labels":
			out.Labels, bad = r.labels()
			return bad
		case "error":
			out.Error, bad = r.errorValue()
			return bad
		case "items":
			return r.itemResults(&out)
		}
		text, bad := r.text()
		switch field {
		case "schema":
			version = string(text)
		case "id":
			out.ID = string(text)
		case "status":
			out.Status = Status(text)
		case "kid":
			out.KID = string(text)
			if bad == nil && len(text) == 0 {
				return r.fault("must not be empty; leave it out instead")
			}
		case "traceId":
			out.TraceID = string(text)
			if bad == nil && len(text) == 0 {
				return r.fault("must not be empty; leave it out instead")
			}
		}
		return bad
	})
	if bad != nil {
		return out, bad
	}
	if version != ResultVersion {
		return out, wrongVersion(version, ResultVersion)
	}
	return out, r.end()
}

// itemResults reads the list of outcomes.
func (r *reader) itemResults(out *Result) *Invalid {
	fields := []string{"id", "signature", "valid", "ciphertext", "iv", "tag", "plaintext", "publicKey", "error"}
	return r.elements(func(int) *Invalid {
		var item ItemResult
		bad := r.object(fields, 1, func(field string) *Invalid { return r.itemResult(&item, field) })
		out.Items = append(out.Items, item)
		return bad
	})
}

// errorValue reads an error.
func (r *reader) errorValue() (*Error, *Invalid) {
	var e Error
	fields := []string{"code", "message", "retryable"}
	bad := r.object(fields, 3, func(field string) (bad *Invalid) {
		if field == "retryable" {
			e.Retryable, bad = r.boolean()
			return bad
		}
		text, bad := r.text()
		if field == "code" {
			e.Code = Code(text)
		} else {
			e.Message = string(text)
		}
		return bad
	})
	return &e, bad
}
