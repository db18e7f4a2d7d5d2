package otlp

import (
	"bytes"
	"compress/gzip"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Packer makes bodies of OTLP requests. It keeps what it needs for that: the
// tables of gzip alone are larger than what they pack. The zero value is ready; it
// belongs to one goroutine.
type Packer struct {
	plain []byte
	zip   *gzip.Writer
}

// Pack makes the body for a request: protobuf in gzip. An
// ExportTraceServiceRequest has the form of TracesData, and an
// ExportMetricsServiceRequest that of MetricsData. It fails on text that is not
// UTF-8.
func (p *Packer) Pack(request proto.Message) (_ []byte, err error) {
	p.plain, err = proto.MarshalOptions{}.MarshalAppend(p.plain[:0], request)
	if err != nil {
		return nil, fmt.Errorf("encode telemetry: %w", err)
	}
	if p.zip == nil {
		p.zip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // spans repeat themselves: more effort saves little
	}
	var body bytes.Buffer
	p.zip.Reset(&body)
	p.zip.Write(p.plain) //nolint:errcheck // memory takes it
	p.zip.Close()        //nolint:errcheck // likewise
	return body.Bytes(), nil
}
