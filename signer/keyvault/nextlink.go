package keyvault

import "net/url"

// stays refuses a link to a next page that leads out of the vault. None is
// fine.
func (v *Vault) stays(id keyID, link string) error {
	if link == "" {
		return nil
	}
	u, err := url.Parse(link)
	if err == nil && u.User == nil {
		at, err := v.client.gate.address(u.Scheme + "://" + u.Host)
		if err == nil && at == v.at {
			return nil
		}
	}
	return v.wrong(id, "the link to the next page leads out of the vault")
}
