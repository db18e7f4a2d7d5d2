package localvault

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// item is a line of a list: no key material.
type item struct {
	Kid        string            `json:"kid"`
	Attributes attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	deletion

	mark string // its place in the list: marks grow
}

type page struct {
	Value    []item  `json:"value"`
	NextLink *string `json:"nextLink"`
}

// maxPage is also the size of a page when the request names none.
const maxPage = 25

// listKeys lists the keys by name, without versions.
func (s *Server) listKeys(c *call) (any, error) {
	var all []item
	for _, v := range s.keys.latest() {
		all = append(all, c.item(v))
	}
	return c.page(all)
}

// listDeletedKeys lists the deleted keys by name, without versions.
func (s *Server) listDeletedKeys(c *call) (any, error) {
	var all []item
	for _, e := range s.keys.allDeleted() {
		i := c.item(e.latest())
		i.deletion = c.deletion(e)
		all = append(all, i)
	}
	return c.page(all)
}

// listVersions lists the versions of a key, oldest first.
func (s *Server) listVersions(c *call) (any, error) {
	key, err := s.keys.snapshot(c.name)
	if err != nil {
		return nil, err
	}
	var all []item
	for n, v := range key.versions {
		i := c.item(v)
		i.Kid, i.mark = c.kid(v), fmt.Sprintf("%08d", n)
		all = append(all, i)
	}
	return c.page(all)
}

// item describes a key by one of its versions.
func (c *call) item(v *version) item {
	return item{Kid: c.base + "/keys/" + v.name, Attributes: v.attributes, Tags: v.tags, mark: strings.ToLower(v.name)}
}

// page cuts a page out of a list. The token in the link to the next page holds
// the mark of this page's last entry, so that entries which come and go
// meanwhile do no harm.
func (c *call) page(all []item) (any, error) {
	query := c.r.URL.Query()
	size := maxPage
	if text := query.Get("maxresults"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return nil, badParameter("maxresults", "must be 1 to 25")
		}
		size = n
	}
	if token := query.Get("$skiptoken"); token != "" {
		mark, err := parseToken(token)
		if err != nil {
			return nil, err
		}
		for len(all) > 0 && all[0].mark <= mark {
			all = all[1:]
		}
	}
	p := page{Value: append([]item{}, all[:min(size, len(all))]...)}
	if len(all) > size {
		p.NextLink = new(c.nextLink(query, size, all[size-1].mark))
	}
	return p, nil
}

const tokenPrefix = "after:"

func parseToken(token string) (mark string, err error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	mark, ok := strings.CutPrefix(string(text), tokenPrefix)
	if err != nil || !ok {
		return "", badParameter("$skiptoken", "not one that was given out")
	}
	return mark, nil
}

func (c *call) nextLink(query url.Values, size int, mark string) string {
	token := base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + mark))
	next := url.Values{"api-version": query["api-version"], "maxresults": {strconv.Itoa(size)}, "$skiptoken": {token}}
	return c.base + c.r.URL.EscapedPath() + "?" + next.Encode()
}
