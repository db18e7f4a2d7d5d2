package localvault

import (
	"net/http"
	"strings"
)

// route is a row of the table below. To add an operation, add its rows and a
// file with its handler.
type route struct {
	method string
	path   string // of literals, {name} and {version}
	op     string // the operation's name in logs and counts
	keyOp  string // what the key must permit; empty: nothing
	own    bool   // the handler charges the request itself
	hsm    bool   // a Managed HSM only
	key    bool   // the key must exist; the handler finds it in call.held
	handle func(*call) (any, error)
}

// routes returns the table. The first row that fits decides, so that literals
// come before placeholders.
func (s *Server) routes() []route {
	return []route{
		{method: "GET", path: "keys", op: "list", handle: s.listKeys},
		{method: "POST", path: "keys/{name}/create", op: "create", own: true, handle: s.createKey},
		{method: "PUT", path: "keys/{name}", op: "import", own: true, handle: s.importKey},
		{method: "GET", path: "keys/{name}/versions", op: "versions", handle: s.listVersions},
		{method: "POST", path: "keys/{name}/sign", op: "sign", keyOp: "sign", key: true, handle: s.sign},
		{method: "POST", path: "keys/{name}/{version}/sign", op: "sign", keyOp: "sign", key: true, handle: s.sign},
		{method: "POST", path: "keys/{name}/verify", op: "verify", keyOp: "verify", key: true, handle: s.verify},
		{method: "POST", path: "keys/{name}/{version}/verify", op: "verify", keyOp: "verify", key: true, handle: s.verify},
		{method: "POST", path: "keys/{name}/encrypt", op: "encrypt", keyOp: "encrypt", key: true, handle: s.encrypt},
		{method: "POST", path: "keys/{name}/{version}/encrypt", op: "encrypt", keyOp: "encrypt", key: true, handle: s.encrypt},
		{method: "POST", path: "keys/{name}/decrypt", op: "decrypt", keyOp: "decrypt", key: true, handle: s.decrypt},
		{method: "POST", path: "keys/{name}/{version}/decrypt", op: "decrypt", keyOp: "decrypt", key: true, handle: s.decrypt},
		{method: "POST", path: "keys/{name}/wrapkey", op: "wrapKey", keyOp: "wrapKey", key: true, handle: s.encrypt},
		{method: "POST", path: "keys/{name}/{version}/wrapkey", op: "wrapKey", keyOp: "wrapKey", key: true, handle: s.encrypt},
		{method: "POST", path: "keys/{name}/unwrapkey", op: "unwrapKey", keyOp: "unwrapKey", key: true, handle: s.decrypt},
		{method: "POST", path: "keys/{name}/{version}/unwrapkey", op: "unwrapKey", keyOp: "unwrapKey", key: true, handle: s.decrypt},
		{method: "POST", path: "keys/{name}/rotate", op: "rotate", own: true, key: true, handle: s.rotateKey},
		{method: "GET", path: "keys/{name}/rotationpolicy", op: "getPolicy", key: true, handle: s.getPolicy},
		{method: "PUT", path: "keys/{name}/rotationpolicy", op: "setPolicy", key: true, handle: s.putPolicy},
		{method: "DELETE", path: "keys/{name}", op: "delete", key: true, handle: s.deleteKey},
		{method: "GET", path: "deletedkeys", op: "listDeleted", handle: s.listDeletedKeys},
		{method: "GET", path: "deletedkeys/{name}", op: "getDeleted", handle: s.getDeletedKey},
		{method: "POST", path: "deletedkeys/{name}/recover", op: "recover", handle: s.recoverKey},
		{method: "DELETE", path: "deletedkeys/{name}", op: "purge", handle: s.purgeKey},
		{method: "POST", path: "keys/{name}/backup", op: "backup", key: true, handle: s.backupKey},
		{method: "POST", path: "keys/restore", op: "restore", handle: s.restoreKey},
		{method: "POST", path: "keys/{name}/release", op: "release", own: true, key: true, handle: s.releaseKey},
		{method: "POST", path: "keys/{name}/{version}/release", op: "release", own: true, key: true, handle: s.releaseKey},
		{method: "GET", path: "keys/{name}/attestation", op: "attestation", key: true, handle: s.getAttestation},
		{method: "GET", path: "keys/{name}/{version}/attestation", op: "attestation", key: true, handle: s.getAttestation},
		{method: "POST", path: "rng", op: "random", hsm: true, handle: s.randomBytes},
		{method: "GET", path: "keys/{name}", op: "get", key: true, handle: s.getKey},
		{method: "GET", path: "keys/{name}/{version}", op: "get", key: true, handle: s.getKey},
		{method: "PATCH", path: "keys/{name}", op: "update", key: true, handle: s.updateKey},
		{method: "PATCH", path: "keys/{name}/{version}", op: "update", key: true, handle: s.updateKey},
	}
}

// match reports whether the path fits, in any case, and the name and version in
// it. One trailing slash is ignored.
func (r *route) match(path string) (name, version string, ok bool) {
	pattern, path := r.path, strings.TrimPrefix(path, "/")
	path = strings.TrimSuffix(path, "/")
	for more := true; more; {
		var want, got string
		var left bool
		want, pattern, more = strings.Cut(pattern, "/")
		got, path, left = strings.Cut(path, "/")
		if more != left {
			return "", "", false
		}
		switch {
		case want == "{name}":
			name = got
		case want == "{version}":
			version = strings.ToLower(got)
		case !strings.EqualFold(want, got):
			return "", "", false
		}
	}
	return name, version, true
}

// find sets the call's route, name and version.
func (s *Server) find(c *call) error {
	known := false
	for i := range s.table {
		row := &s.table[i]
		name, version, ok := row.match(c.r.URL.Path)
		if !ok || row.hsm && !s.managedHSM {
			continue
		}
		known = true
		if row.method != c.r.Method {
			continue
		}
		c.route, c.name, c.version = row, name, version
		return c.checkNames()
	}
	if known {
		return &problem{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "The method is not allowed for this path."}
	}
	return &problem{status: http.StatusNotFound, code: "NotFound", message: "The path is not part of the service or of this stand-in."}
}

func (c *call) checkNames() error {
	if strings.Contains(c.route.path, "{name}") && !validName(c.name) {
		return badParameter("name", "must be 1 to 127 letters, digits and dashes")
	}
	if strings.Contains(c.route.path, "{version}") && !validVersion(c.version) {
		return badParameter("version", "must be 32 hexadecimal digits")
	}
	return nil
}
