package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/etcd-holdfast/holdfast/reports"
)

// tellCI gives a report to the CI service that this process runs in, if it is one that
// says so: GitHub Actions, and what imitates it, get the summary of the job's step
// and annotations.
func tellCI(stderr io.Writer, r *reports.Report) error {
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		if _, err := stderr.Write(reports.Annotations(r)); err != nil {
			return err
		}
	}
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = file.Write(reports.Summary(r))
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("write the summary of the job's step (GITHUB_STEP_SUMMARY): %w", err)
	}
	return nil
}
