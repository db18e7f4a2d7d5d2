package localbus_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// requestLinks attaches a pair of links to a management node or $cbs.
func (p *peer) requestLinks(address, replyName, replyTarget string) {
	p.t.Helper()
	p.write(amqp.Attach{Name: "out", Handle: 10, Source: &amqp.Terminus{Code: amqp.CodeSource}, Target: amqp.NewTerminus(amqp.CodeTarget, address)}.Append(nil, 0))
	p.expect(amqp.CodeAttach)
	p.expect(amqp.CodeFlow)
	target := &amqp.Terminus{Code: amqp.CodeTarget}
	if replyTarget != "" {
		target = amqp.NewTerminus(amqp.CodeTarget, replyTarget)
	}
	p.write(amqp.Attach{
		Name: replyName, Handle: 11, Receiver: true, SenderSettleMode: amqp.Some(amqp.SenderSettled),
		Source: amqp.NewTerminus(amqp.CodeSource, address), Target: target,
	}.Append(nil, 0))
	p.expect(amqp.CodeAttach)
}

// request writes a request with an id of type ulong.
func (p *peer) request(id uint32, operation, replyTo string, body amqp.Map) {
	p.t.Helper()
	var reply any
	if replyTo != "" {
		reply = replyTo
	}
	b := amqp.Append(nil, amqp.Described{Descriptor: uint64(0x73), Value: []any{uint64(id), nil, nil, nil, reply}})
	w := amqp.OpenMap(b, amqp.ApplicationProperties)
	w.String("operation", operation)
	tr := amqp.Transfer{Handle: 10, DeliveryID: amqp.Some(id), DeliveryTag: []byte{1}, Settled: amqp.Some(true)}
	p.write(tr.Append(nil, 0, amqp.AppendValueBody(w.Close(), body)))
}

// response reads a response and returns its status, properties and body.
func (p *peer) response(wantID uint32) (status any, properties, body amqp.Map) {
	p.t.Helper()
	var whole []byte
	for more := true; more; {
		f, payload := p.expect(amqp.CodeTransfer)
		tr, err := amqp.DecodeTransfer(f)
		if err != nil {
			p.t.Fatal(err)
		}
		whole, more = append(whole, payload...), tr.More
	}
	s, err := amqp.ParseMessage(whole)
	if err != nil {
		p.t.Fatal(err)
	}
	fields, _, err := amqp.Decode(s.Properties)
	if list := amqp.List(fields); err != nil || len(list) < 6 || list[5] != uint64(wantID) {
		p.t.Fatalf("properties %v, error %v, want correlation id %d", fields, err, wantID)
	}
	v, _, err := amqp.Decode(s.ApplicationProperties)
	if err != nil {
		p.t.Fatal(err)
	}
	properties = v.(amqp.Map)
	value, err := s.Value()
	if err != nil {
		p.t.Fatal(err)
	}
	body, _ = value.(amqp.Map)
	return properties.Get("statusCode"), properties, body
}

func TestReplyAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, link, target, replyTo string }{
		{"target address", "in", "reply-address", "reply-address"},
		{"link name", "my-link", "", "my-link"},
		{"none", "in", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := openPeer(t, openServer(t))
			p.requestLinks("jobs/$management", tt.link, tt.target)
			p.request(7, "com.microsoft:peek-message", tt.replyTo, amqp.Map{{Key: "from-sequence-number", Value: int64(0)}, {Key: "message-count", Value: int32(1)}})
			// The credit comes after the request: the response waits.
			p.flow(amqp.Flow{Handle: amqp.Some[uint32](11), LinkCredit: amqp.Some[uint32](1)})
			if status, _, _ := p.response(7); status != int32(204) {
				t.Errorf("status %v, want 204", status)
			}
		})
	}
}

func TestRequestWithoutAReplyLink(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.write(amqp.Attach{Name: "out", Handle: 10, Source: &amqp.Terminus{Code: amqp.CodeSource}, Target: amqp.NewTerminus(amqp.CodeTarget, "jobs/$management")}.Append(nil, 0))
	p.expect(amqp.CodeAttach)
	p.expect(amqp.CodeFlow)
	tr := amqp.Transfer{Handle: 10, DeliveryID: amqp.Some[uint32](0), DeliveryTag: []byte{1}}
	p.write(tr.Append(nil, 0, amqp.AppendValueBody(nil, amqp.Map{})))
	f, _ := p.expect(amqp.CodeDisposition)
	if d, err := amqp.DecodeDisposition(f); err != nil || d.State.Code != amqp.CodeRejected {
		t.Errorf("disposition %+v, error %v, want rejected", d, err)
	}
}

func TestManagementRefusals(t *testing.T) {
	t.Parallel()
	tokens := amqp.Entry{Key: "lock-tokens", Value: amqp.Array{Code: amqp.ArrayOfUUID, Items: []any{amqp.UUID{1}}}}
	numbers := amqp.Entry{Key: "sequence-numbers", Value: amqp.Array{Code: amqp.ArrayOfLong, Items: []any{int64(99)}}}
	status := func(s string) amqp.Entry { return amqp.Entry{Key: "disposition-status", Value: s} }
	for _, tt := range []struct {
		name, operation string
		body            amqp.Map
		status          int32
		condition       amqp.Symbol
	}{
		{"unknown operation", "com.microsoft:dance", nil, 501, "amqp:not-implemented"},
		{"renew a lost lock", "com.microsoft:renew-lock", amqp.Map{tokens}, 410, "com.microsoft:message-lock-lost"},
		{"renew nothing", "com.microsoft:renew-lock", nil, 400, "amqp:not-allowed"},
		{"renew a number", "com.microsoft:renew-lock", amqp.Map{{Key: "lock-tokens", Value: []any{int32(1)}}}, 400, "amqp:not-allowed"},
		{"complete a lost lock", "com.microsoft:update-disposition", amqp.Map{tokens, status("completed")}, 410, "com.microsoft:message-lock-lost"},
		{"unknown disposition", "com.microsoft:update-disposition", amqp.Map{tokens, status("burned")}, 400, "amqp:not-allowed"},
		{"no deferred message", "com.microsoft:receive-by-sequence-number", amqp.Map{numbers}, 404, "com.microsoft:message-not-found"},
		{"cancel nothing", "com.microsoft:cancel-scheduled-message", amqp.Map{numbers}, 404, "com.microsoft:message-not-found"},
		{"schedule nonsense", "com.microsoft:schedule-message", amqp.Map{{Key: "messages", Value: []any{amqp.Map{{Key: "message", Value: []byte("x")}}}}}, 400, "amqp:decode-error"},
		{"schedule nothing", "com.microsoft:schedule-message", nil, 400, "amqp:not-allowed"},
		{"schedule without a message", "com.microsoft:schedule-message", amqp.Map{{Key: "messages", Value: []any{amqp.Map{}}}}, 400, "amqp:not-allowed"},
		{"sessions of a plain queue", "com.microsoft:get-message-sessions", nil, 400, "amqp:not-allowed"},
		{"state without a session", "com.microsoft:get-session-state", nil, 400, "amqp:not-allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := openPeer(t, openServer(t))
			p.requestLinks("jobs/$management", "in", "")
			p.flow(amqp.Flow{Handle: amqp.Some[uint32](11), LinkCredit: amqp.Some[uint32](5)})
			p.request(1, tt.operation, "in", tt.body)
			status, properties, _ := p.response(1)
			if status != tt.status || properties.Get("errorCondition") != tt.condition {
				t.Errorf("got %v, want %d and %s", properties, tt.status, tt.condition)
			}
		})
	}
}

func TestDeleteMessages(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.attachSender(0, "jobs")
	for id := range uint32(3) {
		p.send(0, id, "x")
		p.expectAccepted(id)
	}
	p.requestLinks("jobs/$management", "in", "")
	p.flow(amqp.Flow{Handle: amqp.Some[uint32](11), LinkCredit: amqp.Some[uint32](5)})
	p.request(1, "com.microsoft:batch-delete-messages", "in", amqp.Map{
		{Key: "message-count", Value: int32(2)}, {Key: "enqueued-time-utc", Value: amqp.TimestampOf(time.Now().Add(time.Minute))},
	})
	status, _, body := p.response(1)
	if status != int32(200) || body.Get("message-count") != int32(2) {
		t.Errorf("status %v, body %v, want 200 and 2", status, body)
	}
}

func TestPutTokenRefusals(t *testing.T) {
	t.Parallel()
	p := openPeer(t, openServer(t))
	p.requestLinks("$cbs", "in", "")
	p.flow(amqp.Flow{Handle: amqp.Some[uint32](11), LinkCredit: amqp.Some[uint32](5)})
	p.request(1, "put-token", "", nil)
	if _, properties, _ := p.response(1); properties.Get("status-code") != int32(400) {
		t.Errorf("no token: %v, want 400", properties)
	}
	p.request(2, "delete-token", "", nil)
	if _, properties, _ := p.response(2); properties.Get("status-code") != int32(501) {
		t.Errorf("unknown operation: %v, want 501", properties)
	}
}

// sessionPeer is a peer on a queue with sessions that has one message in A.
func sessionPeer(t *testing.T) *peer {
	t.Helper()
	p := openPeer(t, newServer(t, localbus.Config{OpenAccess: true, Queues: sessionQueue}))
	p.attachSender(0, "jobs")
	tr := amqp.Transfer{DeliveryID: amqp.Some[uint32](0), DeliveryTag: []byte{1}}
	properties := amqp.Append(nil, amqp.Described{Descriptor: uint64(0x73), Value: []any{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, "A"}})
	p.write(tr.Append(nil, 0, append(properties, encode("x")...)))
	p.expectAccepted(0)
	return p
}

func (p *peer) attachSession(handle uint32, filter any, properties amqp.Map) {
	p.t.Helper()
	source := amqp.NewTerminus(amqp.CodeSource, "jobs").WithFilter(amqp.Map{{Key: amqp.Symbol("com.microsoft:session-filter"), Value: filter}})
	p.write(amqp.Attach{Name: "sess", Handle: handle, Receiver: true, Source: source, Target: &amqp.Terminus{Code: amqp.CodeTarget}, Properties: properties}.Append(nil, 0))
}

func TestSessionFilterKeepsItsShape(t *testing.T) {
	t.Parallel()
	described := func(v any) any { return amqp.Described{Descriptor: uint64(0x137000000C), Value: v} }
	for _, tt := range []struct {
		name         string
		filter, want any
	}{
		{"plain id", "A", "A"},
		{"plain next", nil, "A"},
		{"described id", described("A"), described("A")},
		{"described next", described(nil), described("A")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := sessionPeer(t)
			p.attachSession(1, tt.filter, nil)
			f, _ := p.expect(amqp.CodeAttach)
			a, err := amqp.DecodeAttach(f)
			if err != nil || a.Source.Filter().Get("com.microsoft:session-filter") != tt.want {
				t.Errorf("filter %v, error %v, want %v", a.Source.Filter(), err, tt.want)
			}
			ticks, _ := amqp.Int(a.Properties.Get("com.microsoft:locked-until-utc"))
			until := time.Unix(0, (ticks-621355968000000000)*100)
			if left := time.Until(until); left < 50*time.Second || left > time.Minute {
				t.Errorf("locked until %v", until)
			}
		})
	}
	p := sessionPeer(t)
	p.attachSession(1, int32(5), nil)
	p.expect(amqp.CodeAttach)
	p.expectError(amqp.CodeDetach, "amqp:not-allowed")
}

// A late grant must not reach a session that has ended: the client would close
// the connection.
func TestWaitEndsWithItsSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := openPeer(t, newServer(t, localbus.Config{OpenAccess: true, Queues: sessionQueue}))
		p.nc.SetDeadline(time.Time{})
		p.attachSession(1, nil, amqp.Map{{Key: amqp.Symbol("com.microsoft:timeout"), Value: uint32(5000)}})
		synctest.Wait()
		p.write(amqp.End{}.Append(nil, 0))
		p.expect(amqp.CodeEnd)
		<-time.After(10 * time.Second)
		p.begin(0, 10)
		p.attachSession(1, nil, amqp.Map{{Key: amqp.Symbol("com.microsoft:timeout"), Value: uint32(5000)}})
		start := time.Now()
		p.expect(amqp.CodeAttach)
		p.expectError(amqp.CodeDetach, "com.microsoft:timeout")
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("refused after %v, want 5s", took)
		}
	})
}

// Credit may come before the answer to the attach.
func TestEarlyCredit(t *testing.T) {
	t.Parallel()
	p := sessionPeer(t)
	p.attachSession(1, nil, nil)
	p.flow(amqp.Flow{Handle: amqp.Some[uint32](1), LinkCredit: amqp.Some[uint32](1)})
	p.expect(amqp.CodeAttach)
	p.expect(amqp.CodeTransfer)
}
