package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
)

func etcdCommand() *cobra.Command {
	var b etcdbuild.Builder
	cmd := &cobra.Command{
		Use:   "etcd",
		Short: "Build etcd servers of other versions, and see which there are",
		Long: `Runs use the etcd that holdfast is built with, unless they are told otherwise:
holdfast run SCENARIO --etcd-version 3.5.12 runs members of that version, and
builds it first if it is not in the cache.

The cache is below the user's own, or where --cache or ` + etcdbuild.CacheVariable + ` says.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&b.Cache, "cache", "", "the directory in which servers are kept")
	cmd.AddCommand(&cobra.Command{
		Use:   "build VERSION...",
		Short: "Build etcd servers, and keep them",
		Long: `Make etcd servers of these versions from etcd's modules, with the Go toolchain,
and print where they are. One that is in the cache is not made again. Of 3.4
there are 3.4.3, 3.4.7, 3.4.13 and 3.4.15.

Exit codes: 0 all are there; 64 there is no such version; 70 one could not be
built.`,
		Example: `  holdfast etcd build 3.5.12
  holdfast etcd build 3.5.4 3.5.5 --cache /var/cache/holdfast`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, text := range args {
				if !etcdbuild.IsVersion(text) {
					return usageError{fmt.Errorf("%q is no version of etcd; one is, for example, 3.5.12", text)}
				}
			}
			for _, text := range args {
				path, err := b.Ensure(cmd.Context(), text, func(line string) { fmt.Fprintln(cmd.ErrOrStderr(), line) })
				var unavailable *etcdbuild.UnavailableError
				if errors.As(err, &unavailable) {
					return usageError{err}
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), path)
			}
			return nil
		},
	}, &cobra.Command{
		Use:   "list",
		Short: "List the etcd servers in the cache",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := b.List(cmd.Context())
			if err != nil {
				return err
			}
			rows := [][]string{{"VERSION", "SAYS", "SIZE", "PATH"}}
			for _, k := range all {
				rows = append(rows, []string{k.Version, k.Says, fmt.Sprintf("%.0f MiB", float64(k.Bytes)/(1<<20)), k.Path})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}, &cobra.Command{
		Use:   "remove VERSION...",
		Short: "Remove etcd servers from the cache",
		Args:  arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, text := range args {
				err := b.Remove(text)
				if errors.Is(err, etcdbuild.ErrNotKept) || !etcdbuild.IsVersion(text) {
					return usageError{err}
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	})
	return cmd
}
