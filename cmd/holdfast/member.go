package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast/cluster/process"
)

// memberCommand is there to say what a process of that name is. One that a run has
// started never comes here.
func memberCommand() *cobra.Command {
	return &cobra.Command{
		Use:    process.Role + " NAME",
		Short:  "Be a member of a cluster of processes",
		Hidden: true,
		Args:   arguments(cobra.ArbitraryArgs),
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("members are started by a run, as in: holdfast run quick --cluster process; for a cluster to play with: holdfast cluster up")}
		},
	}
}
