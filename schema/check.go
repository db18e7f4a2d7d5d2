package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// check reports the first fault of a job, or nil. Decode and Encode share it.
func (j *Job) check(l Limits) *Invalid {
	for _, rule := range []func(Limits) *Invalid{j.checkHead, j.checkLabels, j.checkItems, j.checkResult} {
		if bad := rule(l); bad != nil {
			return bad
		}
	}
	return nil
}

func (j *Job) checkHead(Limits) *Invalid {
	if wrong := badText(j.ID, 1, MaxID); wrong != "" {
		return invalid(CodeInvalidJob, "/id", "%s", wrong)
	}
	if !j.Operation.Known() {
		return invalid(CodeInvalidJob, "/operation", "must be one of %s, is %s", names(Operations()), show(string(j.Operation)))
	}
	if !alias(j.Key) {
		return invalid(CodeInvalidJob, "/key", "must be an alias of 1 to %d letters, digits and hyphens (A-Z, a-z, 0-9, -), never a URL; is %s",
			MaxKey, show(j.Key))
	}
	for _, rule := range []func() *Invalid{j.checkAlgorithm, j.checkFormat, j.checkNotAfter} {
		if bad := rule(); bad != nil {
			return bad
		}
	}
	return nil
}

func (j *Job) checkAlgorithm() *Invalid {
	if j.Operation.Takes(j.Algorithm) {
		return nil
	}
	list := j.Operation.Algorithms()
	switch {
	case len(list) == 0 && j.Algorithm == "":
		return nil
	case len(list) == 0:
		return invalid(CodeInvalidJob, "/algorithm", "must be left out: %s needs none; is %s", j.Operation, show(string(j.Algorithm)))
	case j.Algorithm == "":
		return invalid(CodeInvalidJob, "/algorithm", "is missing; must be one of %s for %s", names(list), j.Operation)
	}
	return invalid(CodeInvalidJob, "/algorithm", "must be one of %s for %s, is %s", names(list), j.Operation, show(string(j.Algorithm)))
}

func (j *Job) checkFormat() *Invalid {
	switch {
	case j.Format == JOSE && j.Operation.signatures(), j.Format == DER && j.Operation.signatures():
		return nil
	case j.Operation.signatures():
		return invalid(CodeInvalidJob, "/signatureFormat", "must be %q or %q, is %s", JOSE, DER, show(string(j.Format)))
	case j.Format == "":
		return nil
	}
	return invalid(CodeInvalidJob, "/signatureFormat", "must be left out: it belongs to %s and %s only; is %s", Sign, Verify, show(string(j.Format)))
}

func (j *Job) checkNotAfter() *Invalid {
	if year := j.NotAfter.UTC().Year(); !j.NotAfter.IsZero() && (year < 2000 || year > 9999) {
		return invalid(CodeInvalidJob, "/notAfter", "must be in the years 2000 to 9999 (UTC), is in %d", year)
	}
	return nil
}

func (j *Job) checkLabels(Limits) *Invalid { return checkLabels(CodeInvalidJob, j.Labels) }

func (j *Job) checkItems(l Limits) *Invalid {
	if len(j.Items) == 0 {
		return invalid(CodeInvalidJob, "/items", "must hold at least one item")
	}
	if len(j.Items) > l.MaxItems {
		return tooManyItems(len(j.Items), l)
	}
	if j.Operation == GetPublicKey && len(j.Items) > 1 {
		return invalid(CodeInvalidJob, "/items", "must hold exactly one item for %s, holds %d", GetPublicKey, len(j.Items))
	}
	rules := j.sizes()
	first := make(map[string]int, len(j.Items))
	for i := range j.Items {
		item := &j.Items[i]
		if wrong := badText(item.ID, 1, MaxID); wrong != "" {
			return invalid(CodeInvalidJob, pointer("items", i, "id"), "%s", wrong)
		}
		if was, twice := first[item.ID]; twice {
			return invalid(CodeInvalidJob, pointer("items", i, "id"), "must be unique in the job; item %d has the id %s, too", was, show(item.ID))
		}
		first[item.ID] = i
		for p := range parts {
			if n := len(*item.part(p)); !rules[p].fits(n) {
				return invalid(CodeInvalidJob, pointer("items", i, p.String()), "%s", rules[p].wrong(n, j))
			}
		}
	}
	return nil
}

func (j *Job) checkResult(l Limits) *Invalid {
	if n := j.MaxResultBytes(); n > l.MaxResultBytes {
		return invalid(CodeTooLarge, "/items", "the result of these %d items may take %d bytes, the reply queue holds %d; split the job",
			len(j.Items), n, l.MaxResultBytes)
	}
	return nil
}

func tooManyItems(n int, l Limits) *Invalid {
	return invalid(CodeTooLarge, "/items", "must hold at most %d items, holds %d or more; split the job", l.MaxItems, n)
}

func tooManyBytes(n int, l Limits) *Invalid {
	return invalid(CodeTooLarge, "", "the job must have at most %d bytes, has %d; split it, or send digests in place of data", l.MaxBytes, n)
}

// checkLabels holds for jobs and results.
func checkLabels(code Code, labels map[string]string) *Invalid {
	if len(labels) > MaxLabels {
		return invalid(code, "/labels", "must hold at most %d labels, holds %d", MaxLabels, len(labels))
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if wrong := badText(name, 1, MaxLabelName); wrong != "" {
			return invalid(code, pointer("labels", name), "the name %s", wrong)
		}
		if wrong := badText(labels[name], 0, MaxLabelValue); wrong != "" {
			return invalid(code, pointer("labels", name), "%s", wrong)
		}
	}
	return nil
}

// badText says what is wrong with a text that must have least to most
// characters and only plain ones, or returns "".
func badText(s string, least, most int) string {
	if n := utf8.RuneCountInString(s); n < least || n > most {
		return fmt.Sprintf("must have %d to %d characters, has %d", least, most, n)
	}
	if !utf8.ValidString(s) {
		return "must be UTF-8"
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return !plain(r) }); i >= 0 {
		return fmt.Sprintf("must hold no control character and no line separator; there is one at byte %d", i)
	}
	return ""
}

// alias reports whether s follows the rule of Key Vault for names, which holds
// for aliases as well: letters, digits and hyphens of ASCII. Dots and
// underscores are out, so that in local mode each alias can be a key's name.
// Source: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
func alias(s string) bool {
	if s == "" || len(s) > MaxKey {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r == '_' || notBase64url(r) })
}

// names joins the words of a list.
func names[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, word := range list {
		out[i] = string(word)
	}
	return strings.Join(out, ", ")
}
