package policy

import "strings"

// edit makes a file out of a good one, by replacing a text.
type edit struct {
	name     string
	old, new string
	faults   []string // lines of the error, without those that have another cause; nil: the file is good
	beyond   bool     // the fault is one that JSON Schema does not see
}

// base is a good file of 22 lines.
const base = `version: signmill.policy/v1
vaults:
  prod:
    url: https://example.vault.azure.net
  hsm:
    url: https://example.managedhsm.azure.net
producers:
  billing: {queue: jobs-billing}
  crm:
    token:
      issuer: https://crm.example.org
      audience: signmill
      keys: ['{"kty":"OKP","crv":"Ed25519","kid":"crm-1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}']
keys:
  invoices:
    vault: prod
    key: invoices
  ca:
    vault: hsm
    key: issuing-ca
    purpose: certificates
replies: [replies, replies-billing]
`

// corpus is what schema and decoder are compared on.
func corpus() []edit {
	return append(append(shapes(), values()...), references()...)
}

// shapes are about the form of the file.
func shapes() []edit {
	return []edit{
		{name: "base"},
		{name: "comment", old: "keys:\n  inv", new: "# why\nkeys: # who\n  inv"},
		{name: "quotes", old: "vault: prod", new: `"vault": 'prod'`},
		{name: "flow", old: "    vault: prod\n    key: invoices\n", new: "    {vault: prod, key: invoices}\n"},
		{name: "no version", old: "version: signmill.policy/v1\n", new: "", faults: []string{`line 1: version is missing`}},
		{name: "next version", old: "policy/v1", new: "policy/v2", faults: []string{`line 1: version: "signmill.policy/v2" is not known; this signmill reads signmill.policy/v1`}},
		{name: "no vaults", old: "vaults:\n  prod:\n    url: https://example.vault.azure.net\n  hsm:\n    url: https://example.managedhsm.azure.net\n", new: "", faults: []string{
			`line 1: vaults is missing`,
			`line 11: keys.invoices.vault: there is no vault "prod"; name it under vaults`,
			`line 14: keys.ca.vault: there is no vault "hsm"; name it under vaults`}},
		{name: "unknown field", old: "    vault: prod", new: "    vaul: prod", faults: []string{
			`line 16: keys.invoices: "vaul" is no field here, did you mean vault?; there are vault, key, version, purpose, operations, algorithms, maxItems, producers, replies`,
			`line 16: keys.invoices: vault is missing`}},
		{name: "unknown section", old: "replies: [", new: "reply: [", faults: []string{
			`line 22: "reply" is no field here; there are version, vaults, subscription, producers, keys, replies`}},
		{name: "twice", beyond: true, old: "    key: invoices", new: "    key: invoices\n    vault: prod", faults: []string{`line 18: keys.invoices: "vault" stands in line 16 already`}},
		{name: "alias twice", beyond: true, old: "  ca:\n", new: "  invoices:\n", faults: []string{`line 18: keys: "invoices" stands in line 15 already`}},
		{name: "anchor", beyond: true, old: "    url: https://example.vault", new: "    url: &u https://example.vault", faults: []string{`line 4: vaults.prod.url: anchors and aliases are not read here: write the value out`}},
		{name: "alias", old: "replies: [replies,", new: "replies: [&r replies, *r,", faults: []string{
			`line 22: replies[0]: anchors and aliases are not read here: write the value out`,
			`line 22: replies[1]: anchors and aliases are not read here: write the value out`}},
		{name: "merge", beyond: true, old: "    vault: prod\n", new: "    <<: {vault: prod}\n", faults: []string{
			`line 16: keys.invoices: the name "<<" is read as something else than text: put it in quotes`,
			`line 16: keys.invoices: vault is missing`}},
		{name: "tag", beyond: true, old: "vault: prod", new: "vault: !!str prod", faults: []string{`line 16: keys.invoices.vault: tags such as "!!str" are not read here: leave it out`}},
		{name: "local tag", beyond: true, old: "vault: prod", new: "vault: !x prod", faults: []string{`line 16: keys.invoices.vault: tags such as "!x" are not read here: leave it out`}},
		{name: "list for mapping", old: "    vault: prod\n    key: invoices\n", new: "    [vault, prod]\n", faults: []string{`line 16: keys.invoices: a list is not a mapping: write fields, each as name: value`}},
		{name: "mapping for text", old: "vault: prod", new: "vault: {name: prod}", faults: []string{`line 16: keys.invoices.vault: a mapping is no text`}},
		{name: "text for list", old: "[replies, replies-billing]", new: "replies", faults: []string{`line 22: replies: "replies" is not a list: write it as [a, b]`}},
		{name: "nothing", old: "vault: prod", new: "vault:", faults: []string{`line 16: keys.invoices.vault: there is no value; leave the field out, or give one`}},
		{name: "empty text", old: "vault: prod", new: `vault: ""`, faults: []string{`line 16: keys.invoices.vault: there is no value; leave the field out, or give one`}},
		{name: "empty list", old: "[replies, replies-billing]", new: "[]", faults: []string{`line 22: replies: the list is empty; leave the field out, or name something`}},
		{name: "empty section", old: "  billing: {queue: jobs-billing}\n  crm:\n    token:\n      issuer: https://crm.example.org\n      audience: signmill\n", new: "  {}\nkeys: {}\nx:\n  y:\n", faults: []string{
			`line 8: producers: there is none; leave the field out, or name one`,
			`line 9: keys: there is none; leave the field out, or name one`,
			`line 10: "x" is no field here; there are version, vaults, subscription, producers, keys, replies`,
			`line 13: "keys" stands in line 9 already`}},
		{name: "number for text", old: "key: invoices", new: "key: 17", faults: []string{`line 17: keys.invoices.key: "17" is no text: put it in quotes`}},
		{name: "number for name", beyond: true, old: "  invoices:\n", new: "  17:\n", faults: []string{`line 15: keys: the name "17" is read as something else than text: put it in quotes`}},
		{name: "two documents", beyond: true, old: "replies: [", new: "---\nreplies: [", faults: []string{`line 22: a second document begins here; a file has one`}},
		{name: "complex name", beyond: true, old: "replies: [", new: "? [a]\n: b\nreplies: [", faults: []string{`line 22: a list is no name of a field`}},
	}
}

// values are about single values.
func values() []edit {
	const v32 = "0123456789abcdef0123456789abcdef"
	return []edit{
		{name: "quota", old: "    url: https://example.vault.azure.net\n", new: "    url: https://example.vault.azure.net\n    quota: 0\n    share: static:3\n    costs: [{type: RSA, bits: 4096, hsm: true, units: 16}, {type: EC, curve: P-256, units: 1}, {type: oct, units: 3}]\n"},
		{name: "subscription", old: "producers:", new: "subscription: {quota: 20000}\nproducers:"},
		{name: "subscription of nothing", old: "producers:", new: "subscription: {quota: 0}\nproducers:", faults: []string{`line 7: subscription.quota: "0" is not a whole number from 1 to 10000000`}},
		{name: "negative quota", old: "  hsm:\n", new: "    quota: -1\n  hsm:\n", faults: []string{`line 5: vaults.prod.quota: "-1" is not a whole number from 0 to 10000000`}},
		{name: "huge quota", old: "  hsm:\n", new: "    quota: 10000001\n  hsm:\n", faults: []string{`line 5: vaults.prod.quota: "10000001" is not a whole number from 0 to 10000000`}},
		{name: "text for quota", old: "  hsm:\n", new: "    quota: '4000'\n  hsm:\n", faults: []string{`line 5: vaults.prod.quota: "4000" is not a whole number from 0 to 10000000`}},
		{name: "octal quota", beyond: true, old: "  hsm:\n", new: "    quota: 0o17\n  hsm:\n", faults: []string{`line 5: vaults.prod.quota: "0o17" is not a whole number from 0 to 10000000`}},
		{name: "quota with a fraction", old: "  hsm:\n", new: "    quota: 4000.5\n  hsm:\n", faults: []string{`line 5: vaults.prod.quota: "4000.5" is not a whole number from 0 to 10000000`}},
		{name: "share", old: "  hsm:\n", new: "    share: half\n  hsm:\n", faults: []string{`line 5: vaults.prod.share: this is no share: use static:N, dns:NAME, dns:NAME,AGE, or the URL of a Redis or Valkey`}},
		{name: "share of nobody", old: "  hsm:\n", new: "    share: static:0\n  hsm:\n", faults: []string{`line 5: vaults.prod.share: this is no share: use static:N, dns:NAME, dns:NAME,AGE, or the URL of a Redis or Valkey`}},
		{name: "shares", old: "  hsm:\n", new: "    share: dns:signmill.default.svc,5s\n  hsm:\n    share: rediss+cluster://store:6380\n"},
		{name: "price without type", old: "  hsm:\n", new: "    costs: [{bits: 2048, units: 1}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[0]: type is missing`}},
		{name: "price of nothing", old: "  hsm:\n", new: "    costs: [{type: oct, units: 0}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[0].units: "0" is not a whole number from 1 to 10000000`}},
		{name: "price by size of EC", old: "  hsm:\n", new: "    costs: [{type: EC, bits: 256, units: 1}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[0]: an EC key is told by its curve: write curve, and no bits`}},
		{name: "price by curve of RSA", old: "  hsm:\n", new: "    costs: [{type: RSA, bits: 2048, curve: P-256, units: 1}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[0]: an RSA key is told by its size: write bits, and no curve`}},
		{name: "price by size of oct", old: "  hsm:\n", new: "    costs: [{type: oct, bits: 256, units: 1}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[0]: symmetric keys of all sizes cost the same: write neither bits nor curve`}},
		{name: "price twice", beyond: true, old: "  hsm:\n", new: "    costs: [{type: oct, units: 1}, {type: oct, units: 2}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[1]: another entry has the price of this type of key already`}},
		{name: "yes for true", old: "  hsm:\n", new: "    costs: [{type: oct, hsm: yes, units: 1}]\n  hsm:\n", faults: []string{`line 5: vaults.prod.costs[0].hsm: "yes" is neither true nor false`}},
		{name: "version of a key", old: "    key: invoices", new: "    key: invoices\n    version: " + v32},
		{name: "latest", old: "    key: invoices", new: "    key: invoices\n    version: latest"},
		{name: "short version", old: "    key: invoices", new: "    key: invoices\n    version: abc", faults: []string{`line 18: keys.invoices.version: "abc" is not the version of a key: use its 32 hex digits, or latest`}},
		{name: "version of digits", old: "    key: invoices", new: "    key: invoices\n    version: 12345678901234567890123456789012", faults: []string{`line 18: keys.invoices.version: "12345678901234567890123456789012" is no text: put it in quotes`}},
		{name: "key with a slash", old: "key: invoices", new: "key: invoices/" + v32, faults: []string{`line 17: keys.invoices.key: "invoices/` + v32 + `" is not the name of a key: Key Vault takes 1 to 127 letters, digits and hyphens`}},
		{name: "key with dots", old: "key: invoices", new: "key: ..", faults: []string{`line 17: keys.invoices.key: ".." is not the name of a key: Key Vault takes 1 to 127 letters, digits and hyphens`}},
		{name: "alias with dots", old: "  invoices:\n", new: "  ../invoices:\n", faults: []string{`line 15: keys: "../invoices" is no name: use 1 to 127 letters, digits and hyphens`}},
		{name: "alias with a slash", old: "  invoices:\n", new: "  a/b:\n", faults: []string{`line 15: keys: "a/b" is no name: use 1 to 127 letters, digits and hyphens`}},
		{name: "alias that is too long", old: "  invoices:\n", new: "  " + strings.Repeat("a", 128) + ":\n", faults: []string{`line 15: keys: "` + strings.Repeat("a", 80) + `..." is no name: use 1 to 127 letters, digits and hyphens`}},
		{name: "alias that looks like another", old: "  invoices:\n", new: "  inv\u043eices:\n", faults: []string{`line 15: keys: "invоices" is no name: use 1 to 127 letters, digits and hyphens`}},
		{name: "alias with a line break", old: "  invoices:\n", new: "  \"a\\nb\":\n", faults: []string{`line 15: keys: "a\nb" is no name: use 1 to 127 letters, digits and hyphens`}},
		{name: "purpose", old: "certificates", new: "certificate", faults: []string{`line 21: keys.ca.purpose: "certificate" is not known, did you mean certificates?; use one of digests, certificates, tokens`}},
		{name: "operation", old: "    key: invoices", new: "    key: invoices\n    operations: [Sign]", faults: []string{`line 18: keys.invoices.operations[0]: "Sign" is not known, did you mean sign?; use one of sign, verify, encrypt, decrypt, wrapKey, unwrapKey, getPublicKey`}},
		{name: "operation twice", old: "    key: invoices", new: "    key: invoices\n    operations: [sign, sign]", faults: []string{`line 18: keys.invoices.operations[1]: sign is named already`}},
		{name: "algorithm", old: "    key: invoices", new: "    key: invoices\n    algorithms: [none]", faults: []string{`line 18: keys.invoices.algorithms[0]: "none" is not known; use one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, HS256, HS384, HS512, RSA1_5, RSA-OAEP, RSA-OAEP-256, A128GCM, A192GCM, A256GCM, A128CBC, A192CBC, A256CBC, A128CBCPAD, A192CBCPAD, A256CBCPAD, A128KW, A192KW, A256KW`}},
		{name: "everything of a key", old: "    key: invoices", new: "    key: invoices\n    operations: [sign, verify, getPublicKey]\n    algorithms: [ES256, ES384]\n    maxItems: 100\n    producers: [billing, crm]\n    replies: [replies-billing]"},
		{name: "no items", old: "    key: invoices", new: "    key: invoices\n    maxItems: 0", faults: []string{`line 18: keys.invoices.maxItems: "0" is not a whole number from 1 to 100000`}},
		{name: "queue with dots", old: "replies-billing]", new: "../jobs]", faults: []string{`line 22: replies[1]: "../jobs" is not the name of a queue: use letters, digits, and . - _ / between them`}},
		{name: "dead letters", old: "replies-billing]", new: "jobs/$DeadLetterQueue]", faults: []string{`line 22: replies[1]: "jobs/$DeadLetterQueue" is not the name of a queue: use letters, digits, and . - _ / between them`}},
		{name: "queue in a folder", old: "replies-billing]", new: "teams/billing.replies_1]"},
		{name: "long queue", old: "replies-billing]", new: strings.Repeat("q", 261) + "]", faults: []string{`line 22: replies[1]: the name has 261 characters, and 260 is the limit`}},
		{name: "producer without anything", old: "{queue: jobs-billing}", new: "{}", faults: []string{`line 8: producers.billing: give it a queue of its own, a token, or both: nothing else tells who sent a job`}},
		{name: "token without audience", old: "      audience: signmill\n", new: "", faults: []string{`line 11: producers.crm.token: audience is missing`}},
	}
}

// references are about what one part says of another.
func references() []edit {
	return []edit{
		{name: "unknown vault", beyond: true, old: "vault: prod", new: "vault: prdo", faults: []string{`line 16: keys.invoices.vault: there is no vault "prdo", did you mean prod?; name it under vaults`}},
		{name: "unknown producer", beyond: true, old: "    key: invoices", new: "    key: invoices\n    producers: [crm, biling]", faults: []string{`line 18: keys.invoices.producers[1]: there is no producer "biling", did you mean billing?; name it under producers`}},
		{name: "unknown reply queue", beyond: true, old: "    key: invoices", new: "    key: invoices\n    replies: [elsewhere]", faults: []string{`line 18: keys.invoices.replies[0]: "elsewhere" is not among the file's replies (replies, replies-billing); add it there`}},
		{name: "one vault twice", beyond: true, old: "https://example.managedhsm.azure.net", new: "https://example.vault.azure.net/", faults: []string{`line 4: vaults.prod.url: this is the vault hsm already`}},
		{name: "one queue of two producers", beyond: true, old: "    token:\n", new: "    queue: Jobs-Billing\n    token:\n", faults: []string{`line 10: producers.crm.queue: "Jobs-Billing" is the queue of billing already, so that it would not tell who sent a job`}},
		{name: "results as jobs of a producer", beyond: true, old: "jobs-billing", new: "replies-billing", faults: []string{`line 8: producers.billing.queue: "replies-billing" is among replies, so that results would come in as jobs`}},
		{name: "results as jobs", beyond: true, old: "[replies,", new: "[jobs,", faults: []string{`line 22: replies: "jobs" is the job queue, so that results would come in as jobs`}},
		{name: "reply queue twice", beyond: true, old: "replies-billing]", new: "Replies]", faults: []string{`line 22: replies[1]: "Replies" is named already; queues know no case`}},
		{name: "two purposes", beyond: true, old: "    vault: prod\n    key: invoices\n", new: "    vault: hsm\n    key: Issuing-CA\n", faults: []string{`line 15: keys.invoices.purpose: the key is for certificates under the alias ca: a key has one purpose, and another one takes another key`}},
		{name: "decrypt for certificates", old: "    purpose: certificates", new: "    purpose: certificates\n    operations: [sign, decrypt]", faults: []string{`line 22: keys.ca.operations: decrypt does not go with the purpose certificates: what is decrypted with an RSA key can be a signature`}},
		{name: "unwrapKey for tokens", old: "    purpose: certificates", new: "    purpose: tokens\n    operations: [unwrapKey]", faults: []string{`line 22: keys.ca.operations: unwrapKey does not go with the purpose tokens: what is decrypted with an RSA key can be a signature`}},
		{name: "algorithm of no operation", beyond: true, old: "    key: invoices", new: "    key: invoices\n    algorithms: [ES256, A128KW]", faults: []string{`line 18: keys.invoices.algorithms: none of the operations sign takes A128KW`}},
		{name: "operation without algorithm", beyond: true, old: "    key: invoices", new: "    key: invoices\n    operations: [sign, encrypt, getPublicKey]\n    algorithms: [ES256]", faults: []string{`line 18: keys.invoices.operations: encrypt is done with none of the algorithms ES256`}},
	}
}
