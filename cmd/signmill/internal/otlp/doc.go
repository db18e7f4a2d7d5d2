// Package otlp sends telemetry over OTLP/HTTP, in protobuf and gzip.
//
// What it is. An [Endpoint] takes requests, such as a Collector of OpenTelemetry.
// Spans go to one through [Spans], measurements through a [MetricExporter]. A
// [Packer] makes bodies for those who carry requests by another way. The official
// client brings gRPC along, which makes the binary half as large again; what it
// knows beyond this are client certificates.
//
// How it flows. The SDK hands what it has to an exporter, which makes a request of
// it; a packer makes a body of the request, and the endpoint posts it.
// [Endpoint.Post] posts a body that is there already. Nothing is held.
//
// Guarantees. What a Collector reads comes out as the SDK has it: names,
// attributes, times, and values since the start. What may pass is tried again for
// a minute: no answer, and one that says that the endpoint is busy. No other is.
//
// Errors. A [Refusal] is an answer other than success. Where there was no answer,
// the error is that of the HTTP client.
//
// Concurrency. [Endpoint.Post] may be called from several goroutines. All else
// belongs to one, as the SDK has it.
package otlp
