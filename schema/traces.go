package schema

// What marks the messages on a reply queue that hold spans and no result. Their
// bodies are requests of the OpenTelemetry protocol in protobuf, compressed with
// gzip. A reader of results skips them.
const (
	TracesSubject = "otlp_spans"             // Subject, and SessionID
	TracesType    = "application/x-protobuf" // ContentType
)
