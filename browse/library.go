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
	path string

	mu   sync.Mutex
	root *os.Root
	info fs.FileInfo // of root
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
	l := &library{path: path, runs: make(map[string]*run)}
	if err := l.open(); err != nil {
		return nil, err
	}
	if _, err := l.root.Stat(holdfast.InfoFile); err == nil {
		return nil, errors.Join(fmt.Errorf("%s is a single run directory; name the directory that it is in", path), l.close())
	}
	return l, nil
}

// open opens the directory, and opens it again if another has taken its place.
func (l *library) open() error {
	info, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s; name the one that runs are in, which is the --out of holdfast run", l.path)
	case err != nil:
		return fmt.Errorf("open the directory of runs: %w", err)
	case l.root != nil && os.SameFile(info, l.info):
		return nil
	}
	root, err := os.OpenRoot(l.path)
	if err != nil {
		return fmt.Errorf("open the directory of runs: %w", err)
	}
	if l.info, err = root.Stat("."); err != nil {
		return errors.Join(fmt.Errorf("open the directory of runs: %w", err), root.Close())
	}
	before := l.root
	if l.root = root; before != nil {
		return before.Close()
	}
	return nil
}

func (l *library) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.root.Close()
}

// directory opens that of a run.
func (l *library) directory(name string) (*os.Root, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.root.OpenRoot(name)
}

// look returns what is there now.
func (l *library) look() (*contents, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.open(); err != nil {
		return nil, err
	}
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
	l.mu.Lock()
	defer l.mu.Unlock()
	name, err := l.root.Readlink("latest")
	if err != nil {
		return ""
	}
	return name
}
