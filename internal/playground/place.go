package playground

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// HomeVariable is the environment variable that names another directory for
// clusters than the user's cache directory.
const HomeVariable = "HOLDFAST_HOME"

// longestSocket is how long the path of a unix socket may be, with the zero
// byte at its end, on the systems that allow least.
const longestSocket = 104

// Place is the directory of one cluster.
type Place struct {
	Name      string
	Directory string
}

// At returns the place of the cluster of that name: lower case letters, digits
// and dashes.
func At(name string) (Place, error) {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`).MatchString(name) {
		return Place{}, fmt.Errorf("the name %q of a cluster: only lower case letters, digits and dashes", name)
	}
	home := os.Getenv(HomeVariable)
	if home == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return Place{}, fmt.Errorf("find a directory for the cluster: %w; set %s", err, HomeVariable)
		}
		home = filepath.Join(cache, "holdfast")
	}
	home, err := filepath.Abs(home)
	if err != nil {
		return Place{}, fmt.Errorf("find a directory for the cluster: %w", err)
	}
	p := Place{Name: name, Directory: filepath.Join(home, "clusters", name)}
	if len(p.control()) >= longestSocket {
		return Place{}, fmt.Errorf("%s is too long for the path of a socket; set %s to a shorter directory", p.control(), HomeVariable)
	}
	return p, nil
}

func (p Place) lock() string    { return filepath.Join(p.Directory, "lock") }
func (p Place) state() string   { return filepath.Join(p.Directory, "state.json") }
func (p Place) control() string { return filepath.Join(p.Directory, "control") }

func (p Place) keys() string { return filepath.Join(p.Directory, "keys") }

func (p Place) data() string { return filepath.Join(p.Directory, "data") }

// Log is the file to which the process of the cluster prints.
func (p Place) Log() string { return filepath.Join(p.Directory, "log") }

// State is what the process of a cluster says of itself.
type State struct {
	Name    string    `json:"name"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	// Data is where the members keep their data. The directory is the
	// cluster's own and goes with it.
	Data    string   `json:"data"`
	Members []string `json:"members,omitempty"`
	// Endpoints are the client URLs, one a member, valid while the process
	// lives, whatever becomes of the members.
	Endpoints []string `json:"endpoints,omitempty"`
	Etcd      string   `json:"etcd,omitempty"`
	// Keys is what it takes to be let in, if anything.
	Keys *Keys `json:"keys,omitempty"`
}

// readState returns the state that lies in the place, or nil if there is none.
func (p Place) readState() (*State, error) {
	content, err := os.ReadFile(p.state())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", p.state(), err)
	}
	return &s, nil
}

// writeState replaces the state at once, so that no reader sees half of it.
func (p Place) writeState(s State) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := p.state() + ".new"
	if err := os.WriteFile(next, append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, p.state())
}

// clean removes all that a cluster left in its place, and its data. Only the
// holder of the lock may call it.
func (p Place) clean() error {
	var errs []error
	s, err := p.readState()
	if err != nil { // one that cannot be read must not stay for ever
		errs = append(errs, err)
	} else if s != nil && s.Data != "" {
		errs = append(errs, os.RemoveAll(s.Data))
	}
	for _, leftover := range []string{p.state(), p.state() + ".new", p.control(), p.Log(), p.data(), p.keys(), filepath.Join(p.Directory, "members")} {
		errs = append(errs, os.RemoveAll(leftover))
	}
	return errors.Join(errs...)
}
