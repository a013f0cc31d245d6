package broken

import (
	"errors"
	"testing"

	"github.com/etcd-holdfast/holdfast/workloads"
	"github.com/etcd-holdfast/holdfast/workloads/internal/testetcd"
)

// The owner of token 2 has written, the owner of token 1 comes late.
func TestStaleTokenIsAccepted(t *testing.T) {
	for _, test := range []struct {
		name     string
		resource workloads.Resource
		want     error
	}{
		{"planted", testetcd.Named(t, Subjects(), "stale-token").NewResource(), nil},
		{"correct", workloads.NewResource(), workloads.ErrStale},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.resource.WriteFenced(2, "newer"); err != nil {
				t.Fatal(err)
			}
			if _, _, err := test.resource.ReadFenced(1); !errors.Is(err, test.want) {
				t.Errorf("read with the older token: %v, want %v", err, test.want)
			}
			if _, err := test.resource.WriteFenced(1, "older"); !errors.Is(err, test.want) {
				t.Errorf("write with the older token: %v, want %v", err, test.want)
			}
		})
	}
}

func TestStaleTokenResourceIsARegisterOtherwise(t *testing.T) {
	r := testetcd.Named(t, Subjects(), "stale-token").NewResource()
	last := r.Write("plain")
	position, err := r.WriteFenced(1, "fenced")
	if err != nil || position <= last {
		t.Fatalf("fenced write: position %d, %v; want one after %d", position, err, last)
	}
	if value, _ := r.Read(); value != "plain" {
		t.Errorf("the unfenced value is %q, want %q", value, "plain")
	}
	if value, _, _ := r.ReadFenced(1); value != "fenced" {
		t.Errorf("the fenced value is %q, want %q", value, "fenced")
	}
}
