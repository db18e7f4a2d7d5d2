package admin

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// api is a handler with a broker. The tokens "manage" and "send" are known.
type api struct {
	t       *testing.T
	broker  *broker.Broker
	handler *Handler
}

func newAPI(t *testing.T) *api {
	t.Helper()
	b := broker.New(broker.Config{})
	t.Cleanup(b.Close)
	check := func(text, address string) (token.Grant, error) {
		switch {
		case !strings.HasPrefix(address, "https://example.com/"):
			return token.Grant{}, fmt.Errorf("address %s", address)
		case text == "manage":
			return token.Grant{Rights: token.All}, nil
		case text == "send":
			return token.Grant{Rights: token.Send}, nil
		}
		return token.Grant{}, errors.New("InvalidSignature: it is wrong")
	}
	c := Config{Broker: b, Check: check, Name: "space", Created: time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC)}
	return &api{t, b, New(c)}
}

// do sends a request; headers are names and values in turn.
func (a *api) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "manage")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

func (a *api) expect(w *httptest.ResponseRecorder, status int, parts ...string) {
	a.t.Helper()
	if w.Code != status {
		a.t.Errorf("got status %d, want %d: %s", w.Code, status, w.Body)
	}
	for _, p := range parts {
		if !strings.Contains(w.Body.String(), p) {
			a.t.Errorf("got %s, want it to hold %s", w.Body, p)
		}
	}
}

// entry wraps the children of a queue description.
func entry(children string) string {
	return `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">` +
		`<QueueDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">` +
		children + `</QueueDescription></content></entry>`
}

func TestCreateFillsInTheServicesDefaults(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.do("PUT", "/Jobs?api-version=2030-01", entry(""))
	a.expect(w, http.StatusCreated,
		"<title>Jobs</title>", "<id>http://example.com/Jobs</id>",
		"<LockDuration>PT1M</LockDuration>", "<MaxSizeInMegabytes>1024</MaxSizeInMegabytes>", "<MaxDeliveryCount>10</MaxDeliveryCount>",
		"<DefaultMessageTimeToLive>P10675199DT2H48M5.4775807S</DefaultMessageTimeToLive>",
		"<AutoDeleteOnIdle>P10675199DT2H48M5.4775807S</AutoDeleteOnIdle>",
		"<DuplicateDetectionHistoryTimeWindow>PT10M</DuplicateDetectionHistoryTimeWindow>",
		"<EnableBatchedOperations>true</EnableBatchedOperations>", "<Status>Active</Status>",
		"<AccessedAt>0001-01-01T00:00:00</AccessedAt>", "<MaxMessageSizeInKilobytes>256</MaxMessageSizeInKilobytes>",
		"<d2p1:ActiveMessageCount>0</d2p1:ActiveMessageCount>")
	if got := w.Header().Get("Content-Type"); got != "application/atom+xml;type=entry;charset=utf-8" {
		t.Errorf("content type %s", got)
	}
}

func TestPropertiesComeBackAsTheyWereSent(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	sent := []string{
		"<LockDuration>PT45S</LockDuration>", "<MaxSizeInMegabytes>2048</MaxSizeInMegabytes>",
		"<RequiresDuplicateDetection>true</RequiresDuplicateDetection>", "<RequiresSession>true</RequiresSession>",
		"<DefaultMessageTimeToLive>PT6H</DefaultMessageTimeToLive>", "<DeadLetteringOnMessageExpiration>true</DeadLetteringOnMessageExpiration>",
		"<DuplicateDetectionHistoryTimeWindow>P1DT4H</DuplicateDetectionHistoryTimeWindow>", "<MaxDeliveryCount>100</MaxDeliveryCount>",
		"<EnableBatchedOperations>false</EnableBatchedOperations>", "<Status>ReceiveDisabled</Status>",
		"<UserMetadata>a &amp; b</UserMetadata>", "<AutoDeleteOnIdle>PT10M</AutoDeleteOnIdle>", "<EnableExpress>true</EnableExpress>",
		"<SupportOrdering>false</SupportOrdering>", "<IsAnonymousAccessible>true</IsAnonymousAccessible>",
		"<ForwardDeadLetteredMessagesTo>https://example.com/dead</ForwardDeadLetteredMessagesTo>",
		"<MaxMessageSizeInKilobytes>102400</MaxMessageSizeInKilobytes>",
	}
	a.expect(a.do("PUT", "/jobs", entry(strings.Join(sent, ""))), http.StatusCreated, sent...)
	a.expect(a.do("GET", "/JOBS/", ""), http.StatusOK, sent...)
	a.expect(a.do("PUT", "/jobs", entry(strings.Join(sent, "")), "If-Match", "*"), http.StatusOK, sent...)
	a.expect(a.do("PUT", "/plain", entry("<ForwardTo>jobs</ForwardTo>")), http.StatusCreated, "<ForwardTo>jobs</ForwardTo>")
}

func TestRulesComeBackAsTheyWereSent(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const rule = `<AuthorizationRules><AuthorizationRule i:type="SharedAccessAuthorizationRule"><ClaimType>SharedAccessKey</ClaimType><ClaimValue>None</ClaimValue>` +
		`<Rights><AccessRights>Send</AccessRights><AccessRights>Listen</AccessRights></Rights>` +
		`<KeyName>one</KeyName><PrimaryKey>first</PrimaryKey><SecondaryKey>second</SecondaryKey></AuthorizationRule></AuthorizationRules>`
	a.expect(a.do("PUT", "/jobs", entry(rule)), http.StatusCreated, rule)
	a.expect(a.do("GET", "/jobs", ""), http.StatusOK, rule)
	got := Rules(a.broker, "one")
	want := []token.Rule{
		{Name: "one", Key: "first", Rights: token.Send | token.Listen, Scope: "jobs"},
		{Name: "one", Key: "second", Rights: token.Send | token.Listen, Scope: "jobs"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got rules %v, want %v", got, want)
	}
	if got := Rules(a.broker, "two"); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestOrderAndNamespacesDoNotMatter(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := `<a:entry xmlns:a="urn:a"><a:author/><a:content><q:QueueDescription xmlns:q="urn:q">
		<q:Unknown><q:Deep/></q:Unknown><q:MaxDeliveryCount> 7 </q:MaxDeliveryCount><LockDuration> PT30S </LockDuration></q:QueueDescription></a:content></a:entry>`
	a.expect(a.do("PUT", "/jobs", body), http.StatusCreated, "<LockDuration>PT30S<", "<MaxDeliveryCount>7<")
}

func TestPartitionedQueueHasSixteenTimesItsSize(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const partitioned = "<EnablePartitioning>true</EnablePartitioning>"
	const sum = "<MaxSizeInMegabytes>32768</MaxSizeInMegabytes>"
	a.expect(a.do("PUT", "/jobs", entry("<MaxSizeInMegabytes>2048</MaxSizeInMegabytes>"+partitioned)), http.StatusCreated, sum)
	a.expect(a.do("PUT", "/jobs", entry(sum+partitioned), "If-Match", "*"), http.StatusOK, sum)
	a.expect(a.do("PUT", "/more", entry(partitioned)), http.StatusCreated, "<MaxSizeInMegabytes>16384</MaxSizeInMegabytes>")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const changed = "property of an existing Queue cannot be changed"
	tests := []struct {
		name, method, path, body, header string
		status                           int
		part                             string
	}{
		{"no queue", "GET", "/nothing", "", "", 404, "<Code>404</Code>"},
		{"no topic", "GET", "/topic/Subscriptions/sub", "", "", 404, "<Code>404</Code>"},
		{"dead-letter queue", "GET", "/jobs/$DeadLetterQueue", "", "", 404, ""},
		{"delete nothing", "DELETE", "/nothing", "", "", 404, ""},
		{"update nothing", "PUT", "/nothing", entry(""), "*", 404, ""},
		{"create twice", "PUT", "/JOBS", entry(""), "", 409, "<Code>409</Code>"},
		{"bad name", "PUT", "/-", entry(""), "", 400, ""},
		{"sessions", "PUT", "/jobs", entry("<RequiresSession>true</RequiresSession>"), "*", 400, "The value for the RequiresSession " + changed},
		{"duplicates", "PUT", "/jobs", entry("<RequiresDuplicateDetection>true</RequiresDuplicateDetection>"), "*", 400, changed},
		{"partitions", "PUT", "/jobs", entry("<EnablePartitioning>true</EnablePartitioning>"), "*", 400, changed},
		{"zero duration", "PUT", "/q", entry("<LockDuration>PT0S</LockDuration>"), "", 400, "LockDuration"},
		{"bad duration", "PUT", "/q", entry("<AutoDeleteOnIdle>soon</AutoDeleteOnIdle>"), "", 400, "AutoDeleteOnIdle"},
		{"long lock", "PUT", "/q", entry("<LockDuration>PT6M</LockDuration>"), "", 400, "LockDuration"},
		{"negative count", "PUT", "/q", entry("<MaxDeliveryCount>-1</MaxDeliveryCount>"), "", 400, "MaxDeliveryCount"},
		{"large messages", "PUT", "/q", entry("<MaxMessageSizeInKilobytes>9223372036854775807</MaxMessageSizeInKilobytes>"), "", 400, "MaxMessageSizeInKilobytes"},
		{"unknown status", "PUT", "/q", entry("<Status>Fine</Status>"), "", 400, "Status"},
		{"unknown right", "PUT", "/q", entry("<AuthorizationRules><AuthorizationRule><KeyName>a</KeyName><Rights><AccessRights>Own</AccessRights></Rights></AuthorizationRule></AuthorizationRules>"), "", 400, "Own"},
		{"rule without name", "PUT", "/q", entry("<AuthorizationRules><AuthorizationRule/></AuthorizationRules>"), "", 400, "name and keys"},
		{"too many rules", "PUT", "/q", entry("<AuthorizationRules>" + strings.Repeat("<AuthorizationRule><KeyName>a</KeyName></AuthorizationRule>", 13) + "</AuthorizationRules>"), "", 400, "13 rules"},
		{"no number", "PUT", "/q", entry("<MaxDeliveryCount>many</MaxDeliveryCount>"), "", 400, ""},
		{"topic", "PUT", "/q", "<entry><content><TopicDescription/></content></entry>", "", 400, "no topics"},
		{"not XML", "PUT", "/q", "{}", "", 400, ""},
		{"too large", "PUT", "/q", entry("<UserMetadata>" + strings.Repeat("a", maxBody) + "</UserMetadata>"), "", 413, ""},
		{"bad skip", "GET", "/$Resources/Queues?$skip=-1", "", "", 400, "$skip"},
		{"bad top", "GET", "/$Resources/Queues?$top=x", "", "", 400, "$top"},
		{"method", "POST", "/jobs", "", "", 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.expect(a.do("PUT", "/jobs", entry("")), http.StatusCreated)
			w := a.do(tt.method, tt.path, tt.body, "If-Match", tt.header)
			a.expect(w, tt.status, tt.part)
			var e errorDocument
			if err := xml.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code != tt.status || e.Detail == "" {
				t.Errorf("error document %s: %v", w.Body, err)
			}
		})
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	const read = "Manage,EntityRead claims required for this operation"
	tests := []struct {
		name, method, path, token string
		status                    int
		part                      string
	}{
		{"get", "GET", "/jobs", "send", 401, read},
		{"get nothing", "GET", "/nothing", "send", 404, ""},
		{"list", "GET", "/$Resources/Queues", "send", 401, read},
		{"namespace", "GET", "/$namespaceinfo", "send", 401, read},
		{"create", "PUT", "/new", "send", 401, "Authorization failed for specified action: Manage,EntityWrite"},
		{"delete", "DELETE", "/jobs", "send", 401, "Authorization failed for specified action: Manage,EntityDelete."},
		{"no token", "GET", "/jobs", "", 401, "MissingToken"},
		{"bad token", "GET", "/jobs", "other", 401, "InvalidSignature: it is wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.expect(a.do("PUT", "/jobs", entry("")), http.StatusCreated)
			a.expect(a.do(tt.method, tt.path, entry(""), "Authorization", tt.token), tt.status, tt.part)
			a.expect(a.do("GET", "/jobs", ""), http.StatusOK)
			a.expect(a.do("GET", "/new", ""), http.StatusNotFound)
		})
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i := range maxPage + 5 {
		a.expect(a.do("PUT", fmt.Sprintf("/q%03d", i), entry("")), http.StatusCreated)
	}
	for query, want := range map[string][2]int{
		"": {0, maxPage}, "?&$skip=100": {100, 5}, "?$skip=105": {0, 0}, "?$skip=9999": {0, 0}, "?&$top=2&$skip=3": {3, 2}, "?$top=1000": {0, maxPage},
	} {
		w := a.do("GET", "/$Resources/Queues"+query, "")
		var f struct {
			Entries []struct {
				Title string `xml:"title"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: status %d, error %v", query, w.Code, err)
		}
		if len(f.Entries) != want[1] || want[1] > 0 && f.Entries[0].Title != fmt.Sprintf("q%03d", want[0]) {
			t.Errorf("%s: got %d entries, want %d from %d", query, len(f.Entries), want[1], want[0])
		}
	}
	a.expect(a.do("GET", "/$Resources/Topics", ""), http.StatusOK, "<feed")
}

func TestNamespace(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.expect(a.do("GET", "/$namespaceinfo", ""), http.StatusOK,
		"<Name>space</Name>", "<MessagingSKU>Standard</MessagingSKU>", "<CreatedTime>2026-01-02T03:04:05.6000000Z</CreatedTime>")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.expect(a.do("PUT", "/jobs", entry("")), http.StatusCreated)
	a.expect(a.do("DELETE", "/Jobs", ""), http.StatusOK)
	a.expect(a.do("GET", "/jobs", ""), http.StatusNotFound)
}

func FuzzPut(f *testing.F) {
	f.Add("jobs", entry("<LockDuration>PT45S</LockDuration><MaxSizeInMegabytes>1</MaxSizeInMegabytes>"), "")
	f.Add("a/b", entry("<Status>Active</Status><AuthorizationRules><AuthorizationRule><KeyName>a</KeyName></AuthorizationRule></AuthorizationRules>"), "*")
	f.Fuzz(func(t *testing.T, name, body, match string) {
		a := newAPI(t)
		r := httptest.NewRequest("PUT", "/", strings.NewReader(body))
		r.URL.Path = "/" + name
		r.Header["If-Match"] = []string{match}
		r.Header.Set("Authorization", "manage")
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if err := xml.Unmarshal(w.Body.Bytes(), new(struct{})); err != nil {
			t.Errorf("answer %s: %v", w.Body, err)
		}
	})
}
