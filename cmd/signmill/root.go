package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

const rootHelp = `signmill signs in bulk with keys that never leave Azure Key Vault. Jobs come in
on a Service Bus queue, signatures go out on a reply queue, and every signature
is verified before it is written.

Exit codes:
  0    done
  1    something failed; the message says what to do
  2    the command line or the environment is wrong
  3    a check found problems
  130  interrupted

Every flag can also be set by an environment variable: --reply-session is
SIGNMILL_REPLY_SESSION. A flag wins over its variable. Only --vault and --key of
local, --key of submit, --key and --allow-key of plan, --key and --yes of probe,
--queue and --yes of dlq, --queue of explain, and --out and --yes of keys, have
none.`

const rootExamples = `  # sign a file with nothing but this machine, then check it offline
  signmill sign --local report.pdf
  signmill verify

  # sign a folder through Azure
  signmill sign --namespace example.servicebus.windows.net \
      --vault https://example.vault.azure.net --key invoices --recursive out/

  # send jobs of any operation
  signmill submit --namespace example.servicebus.windows.net jobs.json

  # serve the job queue
  signmill worker --namespace example.servicebus.windows.net \
      --vault https://example.vault.azure.net --allow-key invoices`

// newRoot builds the tree of commands.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "signmill",
		Short:         "Sign in bulk with keys in Azure Key Vault",
		Long:          rootHelp,
		Example:       rootExamples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			warnUnknown(s.err, cmd.Root(), environment())
			return bindEnvironment(cmd.Flags(), environment())
		},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(plainUsage)
	root.PersistentFlags().String("log-level", "", "`LEVEL` debug, info, warn or error; worker logs from info on, the others from warn on")
	root.AddCommand(newSign(s), newSubmit(s), newVerify(s), newWorker(s), newPlan(s), newDoctor(s), newDLQ(s), newAudit(s), newKeys(s), newQuota(s), newTraces(s), newPolicy(s), newLocal(s), newSchema(s), newVersion(s))
	completeFlags(root)
	strictTopics(root)
	return root
}

// usage makes a fault in the arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return usageError(check(cmd, args)) }
}

// noArgs takes flags only.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes flags only, and not %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// plainUsage takes out what pflag puts behind each switch: --force needs no
// value, and "[=true|false]" makes readers think that it does.
func plainUsage(cmd *cobra.Command) error {
	out := cmd.OutOrStderr()
	defer cmd.SetOut(out)
	var text strings.Builder
	cmd.SetOut(&text)
	if err := (&cobra.Command{}).UsageFunc()(cmd); err != nil {
		return err
	}
	const noise = "[=true|false]"
	_, err := io.WriteString(out, strings.ReplaceAll(text.String(), noise, strings.Repeat(" ", len(noise))))
	return err
}

// oneArg takes exactly one argument and says what is missing.
func oneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("%s is missing", what)
		case len(args) > 1:
			return usagef("one %s, not %d arguments", what, len(args))
		}
		return nil
	}
}
