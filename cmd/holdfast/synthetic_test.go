package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/internal/synthetic"
)

// A run of a hundred thousand operations is checked as a small one is: the
// verdict, the few operations that prove it, and a page of bounded size.
func TestCheckOfALongRun(t *testing.T) {
	if testing.Short() {
		t.Skip("makes and judges two runs of 100,000 operations")
	}
	for _, doubleHold := range []bool{false, true} {
		t.Run(fmt.Sprintf("double hold %v", doubleHold), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run")
			if err := synthetic.Directory(path, synthetic.Options{Operations: 100_000, Seed: 2, DoubleHold: doubleHold}); err != nil {
				t.Fatal(err)
			}
			var out, narration bytes.Buffer
			code := execute(context.Background(), []string{"check", path, "--json"}, &out, &narration)
			want, verdict := checker.ExitHolds, checker.Holds
			if doubleHold {
				want, verdict = checker.ExitViolated, checker.Violated
			}
			if code != want || narration.Len() > 0 {
				t.Errorf("exit code %d, want %d; stderr %q", code, want, narration.String())
			}
			var got struct {
				Verdict    checker.Verdict
				Properties []struct {
					Subject, Property string
					Blame             checker.Blame
					Witness           []int64
					Figures           map[string]float64
				}
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Verdict != verdict {
				t.Errorf("verdict %s, want %s", got.Verdict, verdict)
			}
			completed := 0.0
			for _, p := range got.Properties {
				if p.Property == checker.Contract {
					completed += p.Figures["completed"]
				}
				if doubleHold && p.Subject == "mutex" && p.Property == checker.Exclusion && (len(p.Witness) != 2 || p.Blame != checker.BlameLibrary) {
					t.Errorf("the double hold has witness %v and blame %s", p.Witness, p.Blame)
				}
			}
			if completed < 95_000 {
				t.Errorf("%v completed operations were judged", completed)
			}
			for name, most := range map[string]int64{holdfast.VerdictFile: 1 << 20, holdfast.ReportFile: 4 << 20} {
				stat, err := os.Stat(filepath.Join(path, name))
				if err != nil {
					t.Fatal(err)
				}
				if stat.Size() == 0 || stat.Size() > most {
					t.Errorf("%s has %d bytes", name, stat.Size())
				}
			}
		})
	}
}
