package browse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/etcd-holdfast/holdfast"
	"github.com/etcd-holdfast/holdfast/internal/printable"
)

// library is a directory of run directories. It reads a run again only when its
// files have changed.
type library struct {
	root *os.Root

	mu   sync.Mutex
	runs map[string]*run
}

// contents are the runs that there are now.
type contents struct {
	// Runs are those that began last first.
	Runs []*run
	// Others is how many entries are no run directories.
	Others int
	byName map[string]*run
}

func openLibrary(path string) (*library, error) {
	root, err := os.OpenRoot(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no directory %s; name the one that runs are in, which is the --out of holdfast run", path)
	case err != nil:
		return nil, fmt.Errorf("open the directory of runs: %w", err)
	}
	if _, err := root.Stat(holdfast.InfoFile); err == nil {
		return nil, errors.Join(fmt.Errorf("%s is a single run directory; name the directory that it is in", path), root.Close())
	}
	return &library{root: root, runs: make(map[string]*run)}, nil
}

// look returns what is there now.
func (l *library) look() (*contents, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	directory, err := l.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("read the directory of runs: %w", err)
	}
	entries, err := directory.ReadDir(-1)
	if err := errors.Join(err, directory.Close()); err != nil {
		return nil, fmt.Errorf("read the directory of runs: %w", err)
	}
	c := &contents{byName: make(map[string]*run)}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || e.Type()&fs.ModeSymlink != 0 {
			continue // not there yet, or there under another name, as the latest is
		}
		r := l.refresh(e)
		if r == nil {
			c.Others++
			continue
		}
		c.Runs = append(c.Runs, r)
		c.byName[r.Name] = r
	}
	for name := range l.runs {
		if c.byName[name] == nil {
			delete(l.runs, name)
		}
	}
	slices.SortFunc(c.Runs, newestFirst)
	return c, nil
}

// refresh returns the run of an entry, read again if it has changed, or nil if the
// entry is no run directory. A name that cannot be shown is none.
func (l *library) refresh(e fs.DirEntry) *run {
	if !e.IsDir() || !printable.IsText(e.Name()) {
		return nil
	}
	root, err := l.root.OpenRoot(e.Name())
	if err != nil {
		return &run{Name: e.Name(), Problem: fmt.Sprintf("open the directory: %v", err)}
	}
	defer root.Close()
	if _, err := root.Lstat(holdfast.InfoFile); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	r := l.runs[e.Name()]
	if r == nil || r.stamp != stampOf(root) {
		r = readRun(root, e.Name())
	} else if r.Unfinished {
		again := *r // others may be reading the one there is
		again.grown(root)
		r = &again
	}
	l.runs[r.Name] = r
	return r
}

// newestFirst orders runs by when they began, and those of one moment by name.
func newestFirst(a, b *run) int {
	if c := b.Info.Started.Compare(a.Info.Started); c != 0 {
		return c
	}
	return strings.Compare(b.Name, a.Name)
}

// latest is the name that the link to the latest run stands for, or "".
func (l *library) latest() string {
	name, err := l.root.Readlink("latest")
	if err != nil {
		return ""
	}
	return name
}
