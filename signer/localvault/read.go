package localvault

import (
	"net/url"
	"slices"
	"strconv"
)

// bundle is the service's form of a key version.
type bundle struct {
	Key        jwk               `json:"key"`
	Attributes attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
}

func (c *call) bundle(v *version) bundle {
	key := v.material.public()
	key.Kid, key.Kty, key.Ops = c.kid(v), v.kty, v.ops
	return bundle{Key: key, Attributes: v.attributes, Tags: v.tags}
}

// kid is the identifier of a version under the host that was asked.
func (c *call) kid(v *version) string { return c.base + "/keys/" + v.name + "/" + v.id }

// getKey answers with a key's public part. A disabled version is refused.
func (s *Server) getKey(c *call) (any, error) {
	if !c.held.attributes.Enabled {
		return nil, forbidden("KeyDisabled", "Operation get is not allowed on a disabled key.")
	}
	return c.bundle(c.held), nil
}

// item is a line of a list: no key material.
type item struct {
	Kid        string            `json:"kid"`
	Attributes attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
}

type page struct {
	Value    []item  `json:"value"`
	NextLink *string `json:"nextLink"`
}

// maxPage is also the size of a page when the request names none.
const maxPage = 25

// listKeys lists the keys by name, without versions.
func (s *Server) listKeys(c *call) (any, error) {
	return c.page(s.keys.latest(), func(v *version) (string, string) {
		return v.name, c.base + "/keys/" + v.name
	})
}

// listVersions lists the versions of a key, oldest first.
func (s *Server) listVersions(c *call) (any, error) {
	all, err := s.keys.versions(c.name)
	if err != nil {
		return nil, err
	}
	return c.page(all, func(v *version) (string, string) { return v.id, c.kid(v) })
}

// page cuts a page out of a list. The token in the link to the next page is the
// mark of this page's last entry, so that entries added meanwhile do no harm.
func (c *call) page(all []*version, name func(*version) (mark, kid string)) (any, error) {
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
		last := slices.IndexFunc(all, func(v *version) bool { mark, _ := name(v); return mark == token })
		if last < 0 {
			return nil, badParameter("$skiptoken", "unknown")
		}
		all = all[last+1:]
	}
	p := page{Value: make([]item, 0, min(size, len(all)))}
	for _, v := range all[:min(size, len(all))] {
		_, kid := name(v)
		p.Value = append(p.Value, item{Kid: kid, Attributes: v.attributes, Tags: v.tags})
	}
	if len(all) > size {
		mark, _ := name(all[size-1])
		p.NextLink = new(c.nextLink(query, size, mark))
	}
	return p, nil
}

func (c *call) nextLink(query url.Values, size int, mark string) string {
	next := url.Values{"api-version": query["api-version"], "maxresults": {strconv.Itoa(size)}, "$skiptoken": {mark}}
	return c.base + c.r.URL.EscapedPath() + "?" + next.Encode()
}
