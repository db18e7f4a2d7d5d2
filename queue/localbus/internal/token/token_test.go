package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func newChecker() *Checker {
	return &Checker{
		Rules: []Rule{
			{Name: "root", Key: "root key+/=", Rights: All},
			{Name: "sender", Key: "send key", Rights: Send},
			{Name: "jobs only", Key: "jobs key", Rights: Listen, Scope: "Jobs"},
		},
		Now: func() time.Time { return noon },
	}
}

// sas signs an escaped resource.
func sas(rule, key, escaped string, end time.Time) string {
	seconds := fmt.Sprint(end.Unix())
	sum := base64.StdEncoding.EncodeToString(sign(key, escaped, seconds))
	return "SharedAccessSignature sr=" + escaped + "&sig=" + url.QueryEscape(sum) + "&se=" + seconds + "&skn=" + url.PathEscape(rule)
}

func TestCheckSharedAccessSignature(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Hour)
	lower := func(s string) string { return strings.ToLower(url.QueryEscape(s)) }
	tests := []struct {
		name, token, address string
		rights               Rights
		reason               Reason
	}{
		{"lower-case escapes", sas("root", "root key+/=", lower("amqps://Localhost:1/Jobs"), later), "amqps://localhost:1/jobs", All, ""},
		{"upper-case escapes", sas("root", "root key+/=", url.QueryEscape("sb://localhost:1/Jobs"), later), "sb://localhost:1/jobs", All, ""},
		{"other scheme and port", sas("sender", "send key", lower("sb://localhost:1/jobs"), later), "amqp://localhost:2/jobs", Send, ""},
		{"host alone", sas("sender", "send key", "localhost", later), "amqp://localhost:5672/jobs/$management", Send, ""},
		{"below the scope", sas("sender", "send key", lower("sb://localhost/jobs/"), later), "sb://localhost/JOBS/$management", Send, ""},
		{"query in the resource", sas("root", "root key+/=", lower("https://localhost/jobs?api-version=2024-05"), later), "https://localhost/jobs", All, ""},
		{"bracketed host", sas("sender", "send key", lower("sb://[::1]:5/"), later), "sb://[::1]:6/jobs", Send, ""},
		{"plus sign left alone", strings.ReplaceAll(sas("root", "root key+/=", "localhost", later), "%2B", "+"), "sb://localhost/jobs", All, ""},
		{"rule of the queue", sas("jobs only", "jobs key", "localhost", later), "sb://localhost/jobs", Listen, ""},
		{"rule of another queue", sas("jobs only", "jobs key", "localhost", later), "sb://localhost/jobs2", 0, InvalidAudience},
		{"rule of a queue for the namespace", sas("jobs only", "jobs key", "localhost", later), "sb://localhost/", 0, InvalidAudience},
		{"other host", sas("root", "root key+/=", "localhost", later), "sb://otherhost/jobs", 0, InvalidAudience},
		{"longer name with the same start", sas("root", "root key+/=", lower("sb://localhost/job"), later), "sb://localhost/jobs", 0, InvalidAudience},
		{"wrong key", sas("root", "root key", "localhost", later), "sb://localhost/jobs", 0, InvalidSignature},
		{"key of another rule", sas("root", "send key", "localhost", later), "sb://localhost/jobs", 0, InvalidSignature},
		{"unknown rule", sas("nobody", "send key", "localhost", later), "sb://localhost/jobs", 0, InvalidSignature},
		{"end moved", strings.Replace(sas("root", "root key+/=", "localhost", noon), fmt.Sprint(noon.Unix()), fmt.Sprint(later.Unix()), 1), "sb://localhost", 0, InvalidSignature},
		{"resource respelled", strings.Replace(sas("root", "root key+/=", "localhost", later), "localhost", "LOCALHOST", 1), "sb://localhost", 0, InvalidSignature},
		{"just over", sas("root", "root key+/=", "localhost", noon), "sb://localhost/jobs", 0, Expired},
		{"no field", "SharedAccessSignature ", "sb://localhost/jobs", 0, Malformed},
		{"field twice", sas("root", "root key+/=", "localhost", later) + "&sr=x", "sb://localhost/jobs", 0, Malformed},
		{"no rule", "SharedAccessSignature sr=a&sig=AAAA&se=1", "sb://a", 0, Malformed},
		{"bad escape", "SharedAccessSignature sr=%zz&sig=AAAA&se=1&skn=a", "sb://a", 0, Malformed},
		{"bad base64", "SharedAccessSignature sr=a&sig=!&se=1&skn=a", "sb://a", 0, Malformed},
		{"bad time", "SharedAccessSignature sr=a&sig=AAAA&se=soon&skn=a", "sb://a", 0, Malformed},
		{"time too late", "SharedAccessSignature sr=a&sig=AAAA&se=253402300800&skn=a", "sb://a", 0, Malformed},
		{"too long", sas("root", "root key+/=", "localhost", later) + strings.Repeat(" ", maxToken), "sb://localhost/jobs", 0, Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := newChecker().Check(tt.token, tt.address)
			expect(t, got, err, tt.rights, tt.reason)
			if err == nil && !got.Expires.Equal(later) {
				t.Errorf("expires %v, want %v", got.Expires, later)
			}
		})
	}
}

func expect(t *testing.T, got Grant, err error, rights Rights, reason Reason) {
	t.Helper()
	var e *Error
	errors.As(err, &e)
	switch {
	case reason == "" && err != nil:
		t.Errorf("got error %v", err)
	case reason != "" && (e == nil || e.Reason != reason):
		t.Errorf("got error %v, want %s", err, reason)
	case got.Rights != rights:
		t.Errorf("got rights %b, want %b", got.Rights, rights)
	}
}

func TestExpiredTokenIsToldInTheServicesWords(t *testing.T) {
	t.Parallel()
	_, err := newChecker().Check(sas("root", "root key+/=", "localhost", noon.Add(-time.Second)), "sb://localhost")
	want := "ExpiredToken: The token is expired. Expiration time: '11/24/2026 11:59:59'."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLookupAddsRules(t *testing.T) {
	t.Parallel()
	c := newChecker()
	c.Lookup = func(name string) []Rule {
		return []Rule{{Name: name, Key: "", Rights: All}, {Name: name, Key: "secondary", Rights: Listen, Scope: "jobs"}}
	}
	got, err := c.Check(sas("more", "secondary", "localhost", noon.Add(-time.Minute)), "sb://localhost/jobs")
	expect(t, got, err, 0, Expired)
	got, err = c.Check(sas("more", "secondary", "localhost", noon.Add(time.Minute)), "sb://localhost/jobs")
	expect(t, got, err, Listen, "")
	got, err = c.Check(sas("more", "", "localhost", noon.Add(time.Minute)), "sb://localhost/jobs")
	expect(t, got, err, 0, InvalidSignature)
}

// jwt makes a token of two JSON texts.
func jwt(header, payload string) string {
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload)) + ".c2ln"
}

func TestCheckJSONWebToken(t *testing.T) {
	t.Parallel()
	const alg = `{"alg":"RS256"}`
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	tests := []struct {
		name, token string
		rights      Rights
		reason      Reason
	}{
		{"no claims", jwt(alg, `{}`), All, ""},
		{"bearer", "Bearer " + jwt(alg, `{}`), All, ""},
		{"valid", jwt(alg, fmt.Sprintf(`{"exp":%d,"aud":["x"]}`, at(time.Hour))), All, ""},
		{"over", jwt(alg, fmt.Sprintf(`{"exp":%d}`, at(0))), 0, Expired},
		{"not yet", jwt(alg, fmt.Sprintf(`{"nbf":%d}`, at(6*time.Minute))), 0, Malformed},
		{"clock ahead", jwt(alg, fmt.Sprintf(`{"nbf":%d}`, at(4*time.Minute))), All, ""},
		{"no roles", jwt(alg, `{"roles":[]}`), 0, ""},
		{"roles", jwt(alg, `{"roles":["Send","Azure Service Bus Data Receiver"]}`), Send | Listen, ""},
		{"rights", jwt(alg, `{"rights":["listen","other"]}`), Listen, ""},
		{"owner", jwt(alg, `{"roles":["Azure Service Bus Data Owner"]}`), All, ""},
		{"manage", jwt(alg, `{"rights":["Manage"]}`), All, ""},
		{"time out of range", jwt(alg, `{"exp":1e300}`), 0, Malformed},
		{"time of the wrong type", jwt(alg, `{"exp":"soon"}`), 0, Malformed},
		{"no algorithm", jwt(`{}`, `{}`), 0, Malformed},
		{"two parts", "a.b", 0, Malformed},
		{"not base64", "?.?.?", 0, Malformed},
		{"empty", "", 0, Malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := newChecker().Check(tt.token, "sb://localhost/jobs")
			expect(t, got, err, tt.rights, tt.reason)
		})
	}
}

func TestCheckSignedJSONWebToken(t *testing.T) {
	t.Parallel()
	// The example of RFC 7515, appendix A.1; its end is 2011-03-22 18:43:00.
	const example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	key, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	if err != nil {
		t.Fatal(err)
	}
	c := &Checker{JWTKey: key, Now: func() time.Time { return time.Unix(1300819379, 0) }}
	got, err := c.Check(example, "sb://localhost/jobs")
	expect(t, got, err, All, "")
	got, err = c.Check(strings.Replace(example, "dBjf", "eBjf", 1), "sb://localhost/jobs")
	expect(t, got, err, 0, InvalidSignature)
	got, err = c.Check(jwt(`{"alg":"none"}`, `{}`), "sb://localhost/jobs")
	expect(t, got, err, 0, InvalidSignature)
}

func FuzzCheck(f *testing.F) {
	f.Add(sas("root", "root key+/=", "localhost", noon.Add(time.Hour)), "sb://localhost/jobs")
	f.Add(sas("jobs only", "jobs key", "sb%3a%2f%2flocalhost%2fjobs", noon.Add(time.Hour)), "sb://localhost/jobs/$management")
	f.Add(jwt(`{"alg":"RS256"}`, `{"exp":1,"roles":["Send"]}`), "")
	f.Fuzz(func(t *testing.T, token, address string) {
		g, err := newChecker().Check(token, address)
		var e *Error
		if err != nil && (!errors.As(err, &e) || g != Grant{}) {
			t.Errorf("grant %+v with error %v", g, err)
		}
		if err == nil && !g.Expires.IsZero() && !noon.Before(g.Expires) {
			t.Errorf("expired grant %+v", g)
		}
	})
}
