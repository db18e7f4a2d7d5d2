package worker_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

// fallen is what becomes of an attack.
type fallen string

const (
	signed  fallen = "signed"        // it does no harm, and is a job like any other
	refused fallen = "refused"       // it is answered with an error, and complete
	dead    fallen = "dead-lettered" // perhaps with an answer
)

// attack is one message that somebody means ill with.
type attack struct {
	name  string
	forge func(m *azservicebus.AMQPAnnotatedMessage, body string)
	want  fallen
}

// rewritten forges the body alone.
func rewritten(name, old, with string, want fallen) attack {
	return attack{name, func(m *azservicebus.AMQPAnnotatedMessage, body string) {
		setBody(m, strings.Replace(body, old, with, 1))
	}, want}
}

func setBody(m *azservicebus.AMQPAnnotatedMessage, body string) {
	m.Body = azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte(body)}}
}

// addressed forges where the answer goes to.
func addressed(name, to string, want fallen) attack {
	return attack{name, func(m *azservicebus.AMQPAnnotatedMessage, _ string) { m.Properties.ReplyTo = &to }, want}
}

// decorated forges an application property.
func decorated(name, property string, value any, want fallen) attack {
	return attack{name, func(m *azservicebus.AMQPAnnotatedMessage, _ string) {
		m.ApplicationProperties = map[string]any{property: value}
	}, want}
}

// bodies are attacks by what a job says. Its body begins with the key "ec".
func bodies() []attack {
	const key = `"key":"ec"`
	keyed := func(name, forged string, want fallen) attack { return rewritten(name, key, `"key":`+forged, want) }
	deep := func(open, shut string, bytes int) string {
		n := bytes / (len(open) + len(shut))
		return strings.Repeat(open, n) + strings.Repeat(shut, n)
	}
	return []attack{
		keyed("vault URL as key", `"https://evil.vault.azure.net/keys/ec"`, dead),
		keyed("key of another vault", `"evil.vault.azure.net/ec"`, dead),
		keyed("path upwards", `"../ec"`, dead),
		keyed("path around", `"ec/../ec"`, dead),
		keyed("version", `"ec/0123456789abcdef0123456789abcdef"`, dead),
		keyed("encoded path", `"ec%2f..%2fec"`, dead),
		keyed("query", `"ec?api-version=1"`, dead),
		keyed("another case", `"EC"`, refused),
		keyed("Cyrillic letters", `"ес"`, dead),
		keyed("full-width letters", `"ｅｃ"`, dead),
		keyed("zero-width space", `"e\u200bc"`, dead),
		keyed("space at the end", `"ec "`, dead),
		keyed("NUL", `"ec\u0000"`, dead),
		keyed("half a surrogate pair", `"ec\ud800"`, dead),
		keyed("invalid UTF-8", "\"ec\xff\"", dead),
		keyed("overlong encoding", "\"\xc1\xa5c\"", dead),
		keyed("long", `"`+strings.Repeat("a", 100000)+`"`, dead),
		rewritten("vault beside the key", key, key+`,"vault":"https://evil.vault.azure.net"`, dead),
		rewritten("key twice", key, `"key":"other",`+key, dead),
		rewritten("key twice, once escaped", key, `"k\u0065y":"other",`+key, dead),
		rewritten("key in another case", key, key+`,"Key":"other"`, dead),
		rewritten("prototype", key, key+`,"__proto__":{"key":"other"}`, dead),
		rewritten("10 MB of lists", key, `"labels":`+deep("[", "]", 10<<20)+","+key, dead),
		rewritten("10 MB of objects", key, `"labels":`+deep(`{"a":`, "}", 10<<20)+","+key, dead),
		rewritten("10 MB of spaces", key, strings.Repeat(" ", 10<<20)+key, dead),
		rewritten("item bomb", `"items":[`, `"items":[`+strings.Repeat("{},", 1<<20), dead),
		rewritten("item with an id that runs backwards", `"id":"0"`, `"id":"\u202e0"`, signed),
		rewritten("infinite number", key, key+`,"notAfter":1e999999`, dead),
		rewritten("date out of range", key, key+`,"notAfter":"99999-12-31T23:59:59Z"`, dead),
		rewritten("byte order mark", "{", "\ufeff{", dead),
	}
}

// envelopes are attacks by what AMQP says around a good job.
func envelopes() []attack {
	attacks := []attack{
		addressed("reply to a foreign queue", "elsewhere", refused),
		addressed("reply to the job queue", "jobs", refused),
		addressed("reply to another host", "sb://evil.servicebus.windows.net/replies", refused),
		addressed("reply to a management node", "replies/$management", refused),
		addressed("reply to the token node", "$cbs", refused),
		addressed("reply to dead letters", "replies/$DeadLetterQueue", refused),
		addressed("reply by a path", "elsewhere/../replies", refused),
		addressed("reply to a name with NUL", "replies\x00", refused),
		addressed("reply to a long name", strings.Repeat("r", 50000), refused),
		addressed("reply in another case", "REPLIES", signed),

		decorated("forged trace", "traceparent", "00-"+strings.Repeat("f", 32)+"-"+strings.Repeat("f", 16)+"-ff", signed),
		decorated("trace that is none", "traceparent", strings.Repeat("\r\nX: y", 1000), signed),
		decorated("trace of another type", "traceparent", int64(1), signed),
		decorated("long trace state", "tracestate", strings.Repeat("a=b,", 10000), signed),
		decorated("trace of another client", "Diagnostic-Id", "\x00", signed),
		decorated("name of a header", "Authorization", "Bearer x", signed),
		decorated("name that is empty", "", "x", signed),
		decorated("long name", strings.Repeat("n", 50000), "x", signed),
		decorated("long text", "p", strings.Repeat("x", 200000), signed),
		decorated("reason of a dead letter that is a number", "DeadLetterReason", int64(1), dead),
		decorated("description of a dead letter that is a number", "DeadLetterErrorDescription", int64(1), dead),

		{"body as text", func(m *azservicebus.AMQPAnnotatedMessage, body string) {
			m.Body = azservicebus.AMQPAnnotatedMessageBody{Value: body}
		}, signed},
		{"body as a map", func(m *azservicebus.AMQPAnnotatedMessage, _ string) {
			m.Body = azservicebus.AMQPAnnotatedMessageBody{Value: map[string]any{"key": "ec"}}
		}, dead},
		{"body in two sections", func(m *azservicebus.AMQPAnnotatedMessage, body string) {
			m.Body = azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte(body[:40]), []byte(body[40:])}}
		}, dead},
		{"footer", func(m *azservicebus.AMQPAnnotatedMessage, _ string) {
			m.Footer = map[any]any{"x": strings.Repeat("f", 1000)}
		}, signed},
	}
	for name, value := range everyType() {
		attacks = append(attacks, decorated("property that is "+name, "p", value, signed))
	}
	for name, id := range map[string]any{"a number": uint64(7), "a UUID": amqp.UUID{7}, "binary": []byte{7}} {
		attacks = append(attacks, attack{"correlation id that is " + name, func(m *azservicebus.AMQPAnnotatedMessage, _ string) {
			m.Properties.CorrelationID = id
		}, signed})
	}
	return attacks
}

// everyType has a value of each type that the client can send (AMQP 1.0 part 1,
// section 1.6).
func everyType() map[string]any {
	return map[string]any{
		"null": nil, "boolean": true, "ubyte": uint8(1), "ushort": uint16(1), "uint": uint32(1), "ulong": uint64(1 << 63),
		"byte": int8(-1), "short": int16(-1), "int": int32(-1), "long": int64(-1 << 63), "float": float32(1.5), "double": 1e308,
		"timestamp": time.Unix(-1<<40, 0), "uuid": amqp.UUID{1}, "binary": []byte{0xff}, "string": "\u202e\x00", "symbol": amqp.Symbol("s"),
	}
}

// TestAttacks sends each attack over the real path. It ends as it should, the
// vault signs nothing that it should not, and the worker serves on.
func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, a := range append(bodies(), envelopes()...) {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, a.strike)
		})
	}
}

func (a attack) strike(t *testing.T) {
	r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{
		{Name: "large", QueueProperties: localbus.QueueProperties{MaxMessageBytes: 20 << 20, MaxDeliveryCount: 4}},
	}})
	r.jobs, r.config.Jobs = r.sender("large"), r.receiver("large")
	r.start()
	r.forge(a)
	if got := r.fate(); got != a.want {
		t.Errorf("it was %s, want %s", got, a.want)
	}
	if n, want := r.vault.Stats().Operations["sign"], map[fallen]int{signed: 2}[a.want]; n != want {
		t.Errorf("the vault signed %d times, want %d", n, want)
	}
	r.worksAfter("j")
	r.empty("elsewhere")
}

// worksAfter is stillWorks where an error reply to a dead letter may be on its way
// yet. A job's result must not be.
func (r *rig) worksAfter(id string) {
	r.t.Helper()
	good := job("after all", 1)
	r.submit(good)
	result, d := r.reply()
	for result.ID != good.ID {
		if d.ID == schema.ReplyID(id) {
			r.t.Errorf("%s was answered twice", id)
		}
		result, d = r.reply()
	}
	r.verify(good, result)
}

// forge sends an attack with the client itself.
func (r *rig) forge(a attack) {
	r.t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(emulator, &azservicebus.ClientOptions{
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			return r.bus.Dial(ctx)
		},
	})
	r.must(err)
	r.cleanup(client.Close)
	to, err := client.NewSender("large", nil)
	r.must(err)
	body := string(r.encode(job("j", 2)))
	m := &azservicebus.AMQPAnnotatedMessage{Properties: &azservicebus.AMQPAnnotatedMessageProperties{MessageID: "m"}}
	setBody(m, body)
	a.forge(m, body)
	r.must(to.SendAMQPAnnotatedMessage(r.t.Context(), m, nil))
}

// fate waits for what becomes of an attack.
func (r *rig) fate() fallen {
	r.t.Helper()
	ctx, stop := context.WithCancel(r.t.Context())
	first := make(chan fallen, 2)
	var watching sync.WaitGroup
	for name, judge := range map[string]func(*queue.Delivery) fallen{
		"replies":                       judgeReply,
		servicebus.DeadLetters("large"): func(*queue.Delivery) fallen { return dead },
	} {
		from := r.receiver(name)
		watching.Go(func() {
			for got, err := from.Receive(ctx, 1); err == nil; got, err = from.Receive(ctx, 1) {
				got[0].Complete(context.WithoutCancel(ctx))
				if f := judge(got[0]); f != "" {
					first <- f
				}
			}
		})
	}
	f := <-first
	stop()
	watching.Wait()
	return f
}

// judgeReply tells a result from a refusal. An answer to a dead letter is
// neither.
func judgeReply(d *queue.Delivery) fallen {
	result, err := schema.DecodeResult(d.Body)
	switch {
	case err != nil || d.ID != schema.ReplyID("j"):
		return ""
	case result.Status == schema.Succeeded:
		return signed
	}
	return refused
}
