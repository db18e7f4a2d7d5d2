package localbus_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// adminClient returns a client of the management API over HTTPS.
func adminClient(t *testing.T, s *localbus.Server, a *localbus.Authority) *admin.Client {
	t.Helper()
	const key = "Endpoint=sb://localhost:PORT;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"
	o := &admin.ClientOptions{}
	o.Transport = webClient(t, a)
	c, err := admin.NewClientFromConnectionString(strings.Replace(key, "PORT", serve(t, s), 1), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An autoscaler asks for just this number.
func TestSDKReadsRuntimeCounts(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := newServer(t, localbus.Config{Queues: queues("jobs"), TLS: a.ServerConfig()})
	b := memoryClient(t, s)
	sender, err := b.NewSender("jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	for _, at := range []*time.Time{nil, nil, nil, &later} {
		if err := sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("x"), ScheduledEnqueueTime: at}, nil); err != nil {
			t.Fatal(err)
		}
	}
	receiver, err := b.NewReceiverForQueue("jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.DeadLetterMessage(t.Context(), receiveAll(t, receiver, 2)[0], nil); err != nil {
		t.Fatal(err)
	}
	got, err := adminClient(t, s, a).GetQueueRuntimeProperties(t.Context(), "JOBS", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.ActiveMessageCount != 2 || got.DeadLetterMessageCount != 1 || got.ScheduledMessageCount != 1 || got.TotalMessageCount != 4 {
		t.Errorf("got %+v, want 2 active, 1 dead, 1 scheduled", got.QueueRuntimeProperties)
	}
	if got.SizeInBytes <= 0 || got.AccessedAt.IsZero() || got.CreatedAt.IsZero() {
		t.Errorf("got %+v", got.QueueRuntimeProperties)
	}
}

func TestKeysOfQueuesOpenTheirQueue(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s := newServer(t, localbus.Config{Queues: queues("other"), TLS: a.ServerConfig()})
	name, key := "submit", "key of jobs"
	_, err := adminClient(t, s, a).CreateQueue(t.Context(), "jobs", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{
		AuthorizationRules: []admin.AuthorizationRule{{AccessRights: []admin.AccessRight{admin.AccessRightSend}, KeyName: &name, PrimaryKey: &key}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	text := "Endpoint=sb://localhost:" + serve(t, s) + ";SharedAccessKeyName=submit;SharedAccessKey=key of jobs;UseDevelopmentEmulator=true"
	client := newClient(t, text, nil)
	for queue, want := range map[string]bool{"jobs": true, "other": false} {
		sender, err := client.NewSender(queue, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = sender.SendMessage(t.Context(), &azservicebus.Message{Body: []byte("x")}, nil)
		if (err == nil) != want {
			t.Errorf("%s: got error %v", queue, err)
		}
	}
}

func TestHealthOfAClosedServer(t *testing.T) {
	t.Parallel()
	s := newServer(t, localbus.Config{})
	s.Close()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/health", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"unhealthy"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

// A queue that is made anew under the name of one just deleted keeps its links.
func TestLinksOfADeletedQueueEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, localbus.Config{OpenAccess: true, Queues: queues("jobs")})
		p := openPeer(t, s)
		p.attachSender(1, "jobs")
		change(t, s, "DELETE", "", http.StatusOK)
		change(t, s, "PUT", "<entry><content><QueueDescription/></content></entry>", http.StatusCreated)
		p.attachSender(2, "jobs")
		p.expectError(amqp.CodeDetach, "amqp:link:detach-forced")
		p.write(amqp.Detach{Handle: 1, Closed: true}.Append(nil, 0))
		<-time.After(time.Second)
		p.write(amqp.Detach{Handle: 2, Closed: true}.Append(nil, 0))
		f, _ := p.expect(amqp.CodeDetach)
		if d, err := amqp.DecodeDetach(f); err != nil || d.Handle != 2 || d.Error != nil {
			t.Errorf("got %+v, error %v, want the answer to our detach", d, err)
		}
	})
}

// change sends a request about the queue jobs.
func change(t *testing.T, s *localbus.Server, method, body string, want int) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, "/jobs", strings.NewReader(body)))
	if w.Code != want {
		t.Fatalf("%s: got %d %s", method, w.Code, w.Body)
	}
}

// What a link would have received and deleted is still there when the link goes
// before its delay is over.
func TestDelayedMessageOutlivesItsLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, localbus.Config{OpenAccess: true, Queues: queues("jobs"), Faults: localbus.Faults{Delay: time.Minute}})
		p := openPeer(t, s)
		p.attachSender(1, "jobs")
		p.send(1, 0, "x")
		p.expectAccepted(0)
		p.write(amqp.Attach{
			Name: "r", Handle: 2, Receiver: true, SenderSettleMode: amqp.Some(amqp.SenderSettled),
			Source: amqp.NewTerminus(amqp.CodeSource, "jobs"), Target: &amqp.Terminus{Code: amqp.CodeTarget},
		}.Append(nil, 0))
		p.expect(amqp.CodeAttach)
		p.flow(amqp.Flow{Handle: amqp.Some[uint32](2), LinkCredit: amqp.Some[uint32](1)})
		<-time.After(time.Second)
		p.write(amqp.Detach{Handle: 2, Closed: true}.Append(nil, 0))
		p.expect(amqp.CodeDetach)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/jobs", nil))
		if !strings.Contains(w.Body.String(), "ActiveMessageCount>1<") {
			t.Errorf("the message is gone: %s", w.Body)
		}
	})
}
