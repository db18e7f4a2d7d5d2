package admin

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

const (
	maxBody = 256 << 10 // bytes of a request's body
	maxPage = 100       // queues of one answer
)

// describe answers with one queue. Whether a queue exists may be known to all.
func (h *Handler) describe(r *http.Request, name string, manage bool) (answer, error) {
	d, err := h.config.Broker.Get(name)
	if err != nil {
		return answer{}, err
	}
	if !manage {
		return answer{}, errNoRead
	}
	return answer{http.StatusOK, queueEntry(r, d)}, nil
}

// put creates a queue, or with If-Match updates it.
func (h *Handler) put(w http.ResponseWriter, r *http.Request, name string) (answer, error) {
	sent, err := readDescription(w, r)
	if err != nil {
		return answer{}, err
	}
	if r.Header.Get("If-Match") != "" {
		return h.update(r, name, sent)
	}
	p, err := sent.properties()
	if err != nil {
		return answer{}, err
	}
	if p.EnablePartitioning {
		p.MaxSizeMegabytes = partitions * defaulted(p.MaxSizeMegabytes, 1024)
	}
	d, err := h.config.Broker.Create(name, p)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, queueEntry(r, d)}, nil
}

// partitions is their number in a partitioned queue of the Standard tier. Each
// has the size that was asked for; the queue reports their sum.
const partitions = 16

func defaulted(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// update replaces a queue's properties. What is fixed at creation may be left
// out, but not changed.
func (h *Handler) update(r *http.Request, name string, sent *queueDescription) (answer, error) {
	old, err := h.config.Broker.Get(name)
	if err != nil {
		return answer{}, err
	}
	for _, f := range []struct {
		name string
		sent **bool
		old  bool
	}{
		{"RequiresSession", &sent.RequiresSession, old.RequiresSession},
		{"RequiresDuplicateDetection", &sent.RequiresDuplicateDetection, old.RequiresDuplicateDetect},
		{"EnablePartitioning", &sent.EnablePartitioning, old.EnablePartitioning},
	} {
		if *f.sent == nil {
			*f.sent = &f.old
		}
		if **f.sent != f.old {
			return answer{}, &refusal{http.StatusBadRequest, fmt.Sprintf(
				"SubCode=40000. The value for the %s property of an existing Queue cannot be changed.", f.name)}
		}
	}
	p, err := sent.properties()
	if err != nil {
		return answer{}, err
	}
	d, err := h.config.Broker.Update(name, p)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, queueEntry(r, d)}, nil
}

// readDescription reads the body of a request.
func readDescription(w http.ResponseWriter, r *http.Request) (*queueDescription, error) {
	var e struct {
		XMLName     xml.Name          `xml:"entry"`
		Description *queueDescription `xml:"content>QueueDescription"`
	}
	err := xml.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&e)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d bytes.", maxBody)}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, "The body is no Atom entry with a QueueDescription: " + err.Error()}
	case e.Description == nil:
		return nil, &refusal{http.StatusBadRequest, "The entry has no QueueDescription. Only queues are offered here, no topics, subscriptions or rules."}
	}
	return e.Description, nil
}

// list answers with a page of queues. Without $top it has at most maxPage.
func (h *Handler) list(r *http.Request) (answer, error) {
	query := r.URL.Query()
	skip, err := count(query, "$skip", 0)
	if err != nil {
		return answer{}, err
	}
	top, err := count(query, "$top", maxPage)
	if err != nil {
		return answer{}, err
	}
	all := h.config.Broker.List()
	all = all[min(skip, len(all)):]
	return feed(r, "Queues", all[:min(top, maxPage, len(all))]), nil
}

// count reads a number out of a query.
func count(query url.Values, name string, otherwise int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, &refusal{http.StatusBadRequest, fmt.Sprintf("%s is %.40q, but has to be a number from 0.", name, text)}
	}
	return n, nil
}

func feed(r *http.Request, title string, queues []broker.Description) answer {
	f := atomFeed{Namespace: atomSpace, ID: addressOf(r, r.URL.Path), Title: title}
	for _, d := range queues {
		f.Entries = append(f.Entries, queueEntry(r, d))
	}
	return answer{http.StatusOK, f}
}

// namespace describes the namespace.
func (h *Handler) namespace(r *http.Request) answer {
	made := timeText(h.config.Created)
	e := newEntry(r, h.config.Name, namespacePath)
	e.Content.Namespace = &namespaceInfo{
		Space: serviceSpace, Instance: instanceSpace,
		CreatedTime: made, MessagingSKU: "Standard", ModifiedTime: made, Name: h.config.Name, NamespaceType: "Messaging",
	}
	return answer{http.StatusOK, e}
}

func queueEntry(r *http.Request, d broker.Description) atomEntry {
	e := newEntry(r, d.Name, d.Name)
	e.Published, e.Updated = timeText(d.CreatedAt), timeText(d.UpdatedAt)
	e.Content.Queue = describeQueue(d)
	return e
}

// addressOf returns the address of a path as the client spells its host.
func addressOf(r *http.Request, path string) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host, Path: "/" + strings.TrimPrefix(path, "/")}).String()
}
