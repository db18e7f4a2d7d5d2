package localvault

import "strings"

// validName tells whether a key may have that name.
func validName(name string) bool {
	return name != "" && len(name) <= 127 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
	})
}

// validVersion tells whether a version can exist: 32 lower-case hex digits.
func validVersion(id string) bool {
	return len(id) == 32 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'f')
	})
}
