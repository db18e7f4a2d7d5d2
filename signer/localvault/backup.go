package localvault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
)

// maxVersions is how many versions of a key can be backed up.
const maxVersions = 500

// maxBackup is above what the largest key takes: as many versions of RSA 4096
// with all tags.
const maxBackup = 8 << 20

// blob is the form of backups and random bytes.
type blob struct {
	Value octets `json:"value"`
}

// backup is what the sealed blob holds.
type backup struct {
	Versions []savedVersion
	Policy   *rotationPolicy
}

// savedVersion is a version with its secret. It is only ever encoded to be sealed.
type savedVersion struct {
	Name, ID, Kty string
	Ops           []string
	Tags          map[string]string
	Attributes    attributes
	Release       *releasePolicy
	Key           privateJWK
}

// backupKey answers with a blob of all versions that only this server opens.
func (s *Server) backupKey(c *call) (any, error) {
	key, err := s.keys.snapshot(c.name)
	if err != nil {
		return nil, err
	}
	if n := len(key.versions); n > maxVersions {
		return nil, badParameter("name", fmt.Sprintf("the key has %d versions; at most %d can be backed up", n, maxVersions))
	}
	saved := backup{Policy: key.policy}
	for _, v := range key.versions {
		saved.Versions = append(saved.Versions, savedVersion{v.name, v.id, v.kty, v.ops, v.tags, v.attributes, v.release, v.material.private()})
	}
	plain, err := json.Marshal(saved)
	if err != nil {
		return nil, fmt.Errorf("encode backup: %w", err)
	}
	aead, err := s.backupCipher()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcmIV)
	rand.Read(nonce) // never fails
	return blob{aead.Seal(nonce, nonce, plain, nil)}, nil
}

// restoreKey brings back a key with all its versions under its own name.
func (s *Server) restoreKey(c *call) (any, error) {
	var req blob
	if err := c.decodeUpTo(maxBackup, &req); err != nil {
		return nil, err
	}
	saved, err := s.openBackup(req.Value)
	if err != nil {
		return nil, err
	}
	key := entry{policy: saved.Policy}
	for _, v := range saved.Versions {
		secret, err := v.Key.parse()
		if err != nil {
			return nil, fmt.Errorf("restore version %s: %w", v.ID, err)
		}
		key.versions = append(key.versions, &version{v.Name, v.ID, v.Kty, v.Ops, v.Tags, v.Attributes, v.Release, secret})
	}
	latest := key.latest()
	if err := s.keys.restore(key); err != nil {
		return nil, err
	}
	return c.bundle(latest), nil
}

// openBackup returns at least one version.
func (s *Server) openBackup(sealed []byte) (backup, error) {
	aead, err := s.backupCipher()
	if err != nil {
		return backup{}, err
	}
	damaged := badParameter("value", "not a backup that this vault made")
	if len(sealed) < gcmIV {
		return backup{}, damaged
	}
	plain, err := aead.Open(nil, sealed[:gcmIV], sealed[gcmIV:], nil)
	if err != nil {
		return backup{}, damaged
	}
	var saved backup
	if err := json.Unmarshal(plain, &saved); err != nil || len(saved.Versions) == 0 {
		return backup{}, damaged
	}
	return saved, nil
}

func (s *Server) backupCipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.sealing[:])
	if err != nil {
		return nil, fmt.Errorf("make cipher for backups: %w", err)
	}
	return cipher.NewGCM(block)
}
