// Package schema owns the wire contract of signmill: the job that a producer
// puts on the job queue, the result that a worker puts on the reply queue, and
// the fixed words that both use.
//
// What it is. Two JSON documents, [Job] ("signmill.job/v1") and [Result]
// ("signmill.result/v1"), with their JSON Schemas (draft 2020-12), an
// AsyncAPI 3 description of the two queues, and golden examples.
//
// How it flows. [Decode] is the only door for a job: bytes go in, a valid Job
// or an [*Invalid] comes out, and nothing behind the door checks again. An
// item that carries data leaves the door as a digest: hashing happens here.
// Which parts an item has, and how long they are, follows from [Operation] and
// [Algorithm]. [Job.Encode] is the same door seen from the producer.
// [Result.Encode] and [DecodeResult] are their counterparts for the way back.
// [ReplyID], [RefusedID] and [ExhaustedID] name the messages that go that way.
//
// Guarantees. All binary values are base64url without padding, as in JOSE
// (RFC 7515, section 2). Unknown fields, repeated fields, and values beyond a
// limit are refused, never ignored; only a JWK may have members of any name. A
// job that was accepted has a result that fits the reply queue: see
// [Job.MaxResultBytes]. A plaintext is a [Secret] and shows in no error, log or
// print. A document is read once, in time and memory that grow with its length
// and not with its depth.
//
// Errors. A refused document yields an [*Invalid], which names the field, the
// limit and the value. A result carries [Error] values with a [Code] from the
// fixed list in this package.
//
// Concurrency. All functions are pure and may be called from any goroutine.
package schema
