package schema

import _ "embed"

//go:embed job.schema.json
var jobSchema string

//go:embed result.schema.json
var resultSchema string

//go:embed asyncapi.yaml
var asyncAPI string

// JobSchema returns the JSON Schema (draft 2020-12) of a job. Each call
// returns a copy.
func JobSchema() []byte { return []byte(jobSchema) }

// ResultSchema returns the JSON Schema (draft 2020-12) of a result. Each call
// returns a copy.
func ResultSchema() []byte { return []byte(resultSchema) }

// AsyncAPI returns the AsyncAPI 3.1 description of the two queues, in YAML. It
// refers to job.schema.json and result.schema.json beside it. Each call
// returns a copy.
func AsyncAPI() []byte { return []byte(asyncAPI) }
