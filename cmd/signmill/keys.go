package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/signer/keyvault"
)

const keysHelp = `Keeps the keys of one vault or Managed HSM, from their making to their end. A key
is named as NAME, or NAME/VERSION where one version is meant.

Who only signs needs none of this. The role that allows all of it is Key Vault
Crypto Officer, or Managed HSM Crypto Officer.

Standard output is a table for people, with times in UTC; --json makes it JSON,
one object in each line. delete and purge ask for the key's name at a terminal;
elsewhere they need --yes. Whatever changes something takes --dry-run, which
says what would be sent and sends nothing.`

const keysExamples = `  export SIGNMILL_VAULT=https://example.vault.azure.net
  signmill keys create invoices --type RSA --size 3072 --ops sign,verify
  signmill keys rotation-policy set invoices --rotate-after P18M --expires-after P2Y
  signmill keys list
  signmill keys export-public invoices > invoices.pem`

// keysOptions are the flags that all commands below keys share.
type keysOptions struct {
	streams
	vault    string
	identity identityFlags
	timeout  time.Duration
	json     bool
	patience patience
}

// patience is how often and how many at once a command asks the vault. The
// zero value is the client's own.
type patience struct {
	retry       keyvault.Retry
	concurrency int
}

func newKeys(s streams) *cobra.Command {
	o := &keysOptions{streams: s}
	cmd := &cobra.Command{
		Use:     "keys",
		Short:   "Keep the keys of a vault",
		Long:    keysHelp,
		Example: keysExamples,
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.vault, "vault", "", "URL of the vault or Managed HSM, such as https://example.vault.azure.net")
	o.identity.add(cmd, f)
	f.DurationVar(&o.timeout, "timeout", 2*time.Minute, "time for the whole command")
	f.BoolVar(&o.json, "json", false, "print JSON, one object in each line")
	cmd.AddCommand(
		newKeysCreate(o), newKeysImport(o), newKeysList(o), newKeysShow(o), newKeysVersions(o),
		newKeysRotate(o), newKeysRotationPolicy(o), newKeysEnable(o), newKeysDisable(o), newKeysUpdate(o),
		newKeysBackup(o), newKeysRestore(o), newKeysDelete(o), newKeysListDeleted(o), newKeysRecover(o), newKeysPurge(o),
		newKeysExport(o), newKeysRandom(o), newKeysAttest(o),
	)
	return cmd
}

// check refuses what no command can do without.
func (o *keysOptions) check() error {
	switch {
	case o.vault == "":
		return usagef("--vault is missing: the URL of the vault that keeps the keys")
	case o.timeout <= 0:
		return usagef("--timeout must be more than nothing")
	}
	return o.identity.check()
}

// with lets do work on the vault until it is done, the time is up, or Ctrl-C.
func (o *keysOptions) with(cmd *cobra.Command, do func(context.Context, *keyvault.Vault) error) error {
	return o.withClient(cmd, func(ctx context.Context, client *keyvault.Client) error {
		vault, err := client.Vault(o.vault)
		if err != nil {
			return usageError(err)
		}
		return do(ctx, vault)
	})
}

// withClient is with for what a client does besides keeping keys.
func (o *keysOptions) withClient(cmd *cobra.Command, do func(context.Context, *keyvault.Client) error) error {
	if err := o.check(); err != nil {
		return err
	}
	client, err := o.client(cmd)
	if err != nil {
		return err
	}
	defer client.Close()
	stages, stop := onInterrupt(cmd.Context(), func() {})
	defer stop()
	ctx, cancel := context.WithTimeout(stages.Soft, o.timeout)
	defer cancel()
	err = do(ctx, client)
	if err != nil && stages.Soft.Err() != nil {
		return &exit{exitInterrupted, err}
	}
	return err
}

func (o *keysOptions) client(cmd *cobra.Command) (*keyvault.Client, error) {
	log, err := newLog(cmd, slog.LevelWarn)
	if err != nil {
		return nil, err
	}
	config := keyvault.Config{Local: isLoopback(o.vault), Log: log, Retry: o.patience.retry, Concurrency: o.patience.concurrency}
	if config.Credential, err = o.identity.credential(); err != nil {
		return nil, err
	}
	if err := cloudNamed(o.identity.cloud).checkVault(o.vault); err != nil {
		return nil, err
	}
	client, err := keyvault.New(config)
	return client, usageError(err)
}

// keyArg is a key as commands take it: NAME or NAME/VERSION.
type keyArg struct{ Name, Version string }

func parseKeyArg(text string) keyArg {
	name, version, _ := strings.Cut(text, "/")
	return keyArg{name, version}
}

// String is the key as commands take it.
func (k keyArg) String() string {
	if k.Version == "" {
		return k.Name
	}
	return k.Name + "/" + k.Version
}

// parseKeyName is for commands that work on a key with all its versions.
func parseKeyName(text string) (string, error) {
	if strings.Contains(text, "/") {
		return "", usagef("%q names a version, and this works on the key with all its versions: give NAME", text)
	}
	return text, nil
}
