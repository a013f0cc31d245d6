package pipe

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/history"
)

// Hello is what a program says of itself.
type Hello struct {
	// Name is how reports call it; "" if it has not said.
	Name string
	// Primitive is mutex, rwmutex or election.
	Primitive history.Primitive
	Layout    history.Layout
	// Ops are the operations that it offers.
	Ops []string
	// Lease is its lease, if it has one already.
	Lease int64
}

// Can is true if the program offers an operation.
func (h *Hello) Can(op string) bool { return slices.Contains(h.Ops, op) }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// readHello reads a program's answer to hello. Its error says what is wrong
// with it.
func readHello(f *fields) (Hello, error) {
	h := Hello{
		Name: f.text("name"), Primitive: history.Primitive(f.text("primitive")), Layout: history.Layout(f.text("layout")),
		Ops: f.texts("ops"), Lease: f.integer("lease"),
	}
	version := f.integer("version")
	if f.wrong != "" {
		return h, errors.New(f.wrong)
	}
	if version != 0 && version != Version {
		return h, fmt.Errorf("it speaks version %d of the protocol, and this holdfast version %d", version, Version)
	}
	if h.Primitive == "" {
		h.Primitive = history.Mutex
		if h.Can("campaign") {
			h.Primitive = history.Election
		}
	}
	needs := []string{"acquire", "release"}
	switch h.Primitive {
	case history.Mutex, history.RWMutex:
	case history.Election:
		needs = []string{"campaign", "resign"}
	default:
		return h, fmt.Errorf("it calls itself a %q; a program can be a mutex, an rwmutex or an election", h.Primitive)
	}
	if !f.has("ops") {
		h.Ops = needs
	}
	for _, op := range needs {
		if !h.Can(op) {
			return h, fmt.Errorf("its ops are [%s]; a %s needs %s", strings.Join(h.Ops, ", "), h.Primitive, strings.Join(needs, " and "))
		}
	}
	fit := history.OldestKey
	if h.Primitive == history.RWMutex {
		fit = history.ReadWriteKeys
	}
	if h.Layout != history.NoLayout && h.Layout != fit {
		return h, fmt.Errorf("its layout is %q; that of a %s is %q, or none", h.Layout, h.Primitive, fit)
	}
	if h.Name != "" && !nameForm.MatchString(h.Name) {
		return h, fmt.Errorf("its name %q is not one of up to 64 letters, digits, dots, dashes and underscores", h.Name)
	}
	return h, nil
}
