package admin

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"time"
)

// Names of XML namespaces.
const (
	atomSpace     = "http://www.w3.org/2005/Atom"
	serviceSpace  = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
	countSpace    = "http://schemas.microsoft.com/netservices/2011/06/servicebus"
	instanceSpace = "http://www.w3.org/2001/XMLSchema-instance"
)

// answer is a response: a status and a document, nil for none.
type answer struct {
	status   int
	document any
}

// write sends the answer. A client that has gone away is nobody to tell.
func (a answer) write(w http.ResponseWriter) {
	if a.document == nil {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(a.status)
		return
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(a.document); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType(a.document))
	w.WriteHeader(a.status)
	w.Write(b.Bytes())
}

func contentType(document any) string {
	switch document.(type) {
	case atomFeed:
		return "application/atom+xml;type=feed;charset=utf-8"
	case atomEntry:
		return "application/atom+xml;type=entry;charset=utf-8"
	}
	return "application/xml;charset=utf-8"
}

// errorDocument is the body of a refusal.
type errorDocument struct {
	XMLName xml.Name `xml:"Error"`
	Code    int      `xml:"Code"`
	Detail  string   `xml:"Detail"`
}

// atomFeed is a list of entries (RFC 4287, section 4.1.1).
type atomFeed struct {
	XMLName   xml.Name    `xml:"feed"`
	Namespace string      `xml:"xmlns,attr"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Entries   []atomEntry `xml:"entry"`
}

// atomEntry holds one thing (RFC 4287, section 4.1.2).
type atomEntry struct {
	XMLName   xml.Name `xml:"entry"`
	Namespace string   `xml:"xmlns,attr"`
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Published string   `xml:"published,omitempty"`
	Updated   string   `xml:"updated,omitempty"`
	Link      struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	} `xml:"link"`
	Content struct {
		Type      string            `xml:"type,attr"`
		Queue     *queueDescription `xml:",omitempty"`
		Namespace *namespaceInfo    `xml:",omitempty"`
	} `xml:"content"`
}

// namespaceInfo describes a namespace.
type namespaceInfo struct {
	XMLName       xml.Name `xml:"NamespaceInfo"`
	Space         string   `xml:"xmlns,attr"`
	Instance      string   `xml:"xmlns:i,attr"`
	CreatedTime   string   `xml:"CreatedTime"`
	MessagingSKU  string   `xml:"MessagingSKU"`
	ModifiedTime  string   `xml:"ModifiedTime"`
	Name          string   `xml:"Name"`
	NamespaceType string   `xml:"NamespaceType"`
}

func newEntry(r *http.Request, title, path string) atomEntry {
	e := atomEntry{Namespace: atomSpace, ID: addressOf(r, path), Title: title}
	e.Link.Rel, e.Link.Href = "self", e.ID
	e.Content.Type = "application/xml"
	return e
}

// timeText writes a time, the zero time as the service does: never.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "0001-01-01T00:00:00"
	}
	return t.UTC().Format("2006-01-02T15:04:05.0000000Z")
}
