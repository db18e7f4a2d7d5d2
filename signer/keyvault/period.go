package keyvault

import (
	"fmt"
	"regexp"
)

// Period is a length of time in calendar units, in the form of ISO 8601: P90D
// is 90 days, P18M 18 months, P1Y10D one year and 10 days, PT48H 48 hours. ""
// is none.
type Period string

// Check fails on anything that is neither "" nor of that form.
func (p Period) Check() error {
	if p == "" {
		return nil
	}
	form := regexp.MustCompile(`^P(\d{1,4}Y)?(\d{1,4}M)?(\d{1,4}W)?(\d{1,5}D)?(T(\d{1,6}H)?(\d{1,6}M)?(\d{1,6}S)?)?$`)
	last := p[len(p)-1]
	if !form.MatchString(string(p)) || last == 'P' || last == 'T' {
		return fmt.Errorf("period %q: use ISO 8601, such as P90D for 90 days, P18M for 18 months or P2Y for two years", clip(string(p), 40))
	}
	return nil
}
