package members

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// workspace is the directories of a cluster.
type workspace struct {
	root string
	// created are the directories to remove, in the order of their creation.
	created []string
}

// newWorkspace finds or creates the directory in which members get theirs.
func newWorkspace(parent string) (*workspace, error) {
	w := &workspace{root: parent}
	if parent == "" {
		root, err := os.MkdirTemp("", "holdfast-")
		if err != nil {
			return nil, err
		}
		w.root, w.created = root, []string{root}
		return w, nil
	}
	root, err := filepath.Abs(parent)
	if err != nil {
		return nil, err
	}
	w.root = root
	return w, w.createAll(root)
}

// createAll creates a directory and those of its parents that are missing.
func (w *workspace) createAll(directory string) error {
	info, err := os.Stat(directory)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is not a directory", directory)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := w.createAll(filepath.Dir(directory)); err != nil {
		return err
	}
	return w.mkdir(directory)
}

// create makes a new directory of that name. It fails if there is one: data
// that another cluster left there must not leak into this one.
func (w *workspace) create(name string) (string, error) {
	directory := filepath.Join(w.root, name)
	return directory, w.mkdir(directory)
}

func (w *workspace) mkdir(directory string) error {
	if err := os.Mkdir(directory, 0o700); err != nil {
		return err
	}
	w.created = append(w.created, directory)
	return nil
}

// remove deletes what was created, and what was put there since.
func (w *workspace) remove() error {
	var errs []error
	for i := len(w.created) - 1; i >= 0; i-- {
		errs = append(errs, os.RemoveAll(w.created[i]))
	}
	w.created = nil
	return errors.Join(errs...)
}
