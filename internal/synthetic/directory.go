package synthetic

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// Options say what to make. The zero value works.
type Options struct {
	// Operations is how many operations the run has at least: those under way
	// when the number is reached, and a last round, come on top. Zero is 10,000.
	Operations int
	// Seed is the randomness of it all.
	Seed uint64
	// DoubleHold plants a mutex that is granted while another client holds it,
	// in the middle of the run.
	DoubleHold bool
}

// Directory makes a run directory at path, which must not exist yet.
func Directory(path string, o Options) (err error) {
	if o.Operations <= 0 {
		o.Operations = 10_000
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make a synthetic run: %w", err)
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return fmt.Errorf("make a synthetic run: %w", err)
	}
	w := &world{
		options: o, random: rand.New(rand.NewPCG(o.Seed, 0x5f3759df)), revision: 1, lastLease: 0x699ea20487fac000,
		keys: make(map[string]*key), owned: make(map[int64][]*key),
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			err = errors.Join(err, f.Close())
		}
	}()
	create := func(name string) (*bufio.Writer, error) {
		f, err := os.Create(filepath.Join(path, name))
		if err != nil {
			return nil, fmt.Errorf("make a synthetic run: %w", err)
		}
		files = append(files, f)
		return bufio.NewWriterSize(f, 1<<20), nil
	}
	if w.history, err = create("history.jsonl"); err != nil {
		return err
	}
	if w.revisions, err = create("revisions.jsonl"); err != nil {
		return err
	}
	if w.faults, err = create("faults.jsonl"); err != nil {
		return err
	}
	w.run()
	if err := errors.Join(w.history.Flush(), w.revisions.Flush(), w.faults.Flush()); err != nil {
		return fmt.Errorf("make a synthetic run: %w", err)
	}
	info, err := json.MarshalIndent(map[string]any{
		"holdfast": "synthetic", "argv": []string{"synthetic"}, "scenario": "synthetic", "seed": o.Seed,
		"started": time.Unix(0, 0).UTC(), "cluster": "synthetic", "ended": "complete", "warnings": []string{},
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("make a synthetic run: %w", err)
	}
	scenario := fmt.Sprintf("name: synthetic\nsummary: made by package synthetic\nseed: %d\n", o.Seed)
	return errors.Join(
		os.WriteFile(filepath.Join(path, "run.json"), append(info, '\n'), 0o644),
		os.WriteFile(filepath.Join(path, "scenario.yaml"), []byte(scenario), 0o644))
}
