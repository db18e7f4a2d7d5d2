package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

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
