package docker

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// What is created on an engine carries these labels.
const (
	// runLabel is the run's name.
	runLabel = "holdfast"
	// harnessLabel is which process created it, machineLabel on which machine.
	harnessLabel = "holdfast.harness"
	machineLabel = "holdfast.machine"
	// memberLabel is the member that it belongs to, for people.
	memberLabel = "holdfast.member"
	// imageLabel is on images; what they were made of.
	imageLabel = "holdfast.image"
)

// mark is what everything of one cluster is labelled with.
type mark struct{ run, harness, machine string }

func newMark(run string) (mark, error) {
	harness, err := offspring.Mark()
	if err != nil {
		return mark{}, err
	}
	machine, err := offspring.Machine()
	if err != nil {
		return mark{}, err
	}
	return mark{run: nameOf(run), harness: harness, machine: machine}, nil
}

// labels are those of something of a member, or of all of them if member is "".
func (m mark) labels(member string) map[string]string {
	all := map[string]string{runLabel: m.run, harnessLabel: m.harness, machineLabel: m.machine}
	if member != "" {
		all[memberLabel] = member
	}
	return all
}

// name is that of something of a member, or of all of them if member is "".
func (m mark) name(member string) string {
	return strings.TrimSuffix("holdfast-"+m.run+"-"+member, "-")
}

var unnamable = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)

// nameOf is a run's name with a few letters behind it, so that no two are called
// alike: run directories may be below different directories.
func nameOf(run string) string {
	run = strings.Trim(unnamable.ReplaceAllString(run, "-"), "-.")
	salt := make([]byte, 3)
	_, _ = rand.Read(salt) // it never fails
	if run == "" {
		return hex.EncodeToString(salt)
	}
	return run[:min(len(run), 60)] + "-" + hex.EncodeToString(salt)
}
