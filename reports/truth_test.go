package reports

import (
	"fmt"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// TestTenures: who owned, and from when, by the layouts' rules.
func TestTenures(t *testing.T) {
	// Two keys come at 1 and 2 s, the first goes at 3 s, with its lease.
	story := func(layout history.Layout, first, second string) []tenure {
		prefix := "/p/lock/a/"
		h := &history.History{
			Header: history.Header{Prefix: "/p/", Subjects: []history.SubjectInfo{{Name: "lock", Layout: layout}}},
			Operations: []history.Operation{
				{ID: 1, Client: "c1", Subject: "lock", Object: "a", Kind: history.Acquire, Lease: 1, Key: prefix + first},
				{ID: 2, Client: "c2", Subject: "lock", Object: "a", Kind: history.Acquire, Lease: 2, Key: prefix + second},
			},
			Revisions: history.NewRevisionLog(1, 0, []history.Change{
				{Revision: 1, Time: 1 * time.Second, Key: prefix + first, Create: 1, Lease: 1},
				{Revision: 2, Time: 2 * time.Second, Key: prefix + second, Create: 2, Lease: 2},
				{Revision: 3, Time: 3 * time.Second, Key: prefix + first, Deleted: true},
				{Revision: 4, Time: 4 * time.Second, Key: "/p/lock/ab/1", Create: 4},
			}, []history.LeaseEnd{{Lease: 1, Revision: 3, Time: 3 * time.Second}}, nil, nil),
			End: 5 * time.Second,
		}
		x := newIndex(h)
		return tenures(h, x, x.byKey[objectKey{"lock", "a"}])
	}
	for _, c := range []struct {
		layout        history.Layout
		first, second string
		owns          []time.Duration
	}{
		{history.OldestKey, "1", "2", []time.Duration{1 * time.Second, 3 * time.Second}},
		{history.ReadWriteKeys, "write/1", "read/2", []time.Duration{1 * time.Second, 3 * time.Second}},
		{history.ReadWriteKeys, "read/1", "write/2", []time.Duration{1 * time.Second, 3 * time.Second}},
		{history.ReadWriteKeys, "read/1", "read/2", []time.Duration{1 * time.Second, 2 * time.Second}},
		{history.NoLayout, "1", "2", []time.Duration{history.Never, history.Never}},
	} {
		t.Run(fmt.Sprintf("%s %s %s", c.layout, c.first, c.second), func(t *testing.T) {
			got := story(c.layout, c.first, c.second)
			if len(got) != 2 {
				t.Fatalf("%d tenures, want 2", len(got))
			}
			for i, client := range []string{"c1", "c2"} {
				if got[i].client != client || got[i].owns != c.owns[i] {
					t.Errorf("%s owns from %v, want %s from %v", got[i].client, got[i].owns, client, c.owns[i])
				}
			}
			if !got[0].life.ByLease || got[0].open || got[0].deleted != 3*time.Second || !got[1].open {
				t.Errorf("the ends are wrong: %+v", got)
			}
		})
	}
}

// TestTenuresOfASharedSession: a key is that client's to whom it was granted, where
// others have the same lease.
func TestTenuresOfASharedSession(t *testing.T) {
	h := &history.History{
		Header: history.Header{Prefix: "/p/", Subjects: []history.SubjectInfo{{Name: "lock", Layout: history.OldestKey}}},
		Operations: []history.Operation{
			{ID: 1, Client: "c1", Subject: "lock", Object: "a", Kind: history.Acquire, Outcome: history.Ok, Lease: 7, Key: "/p/lock/a/7", Token: 1, Call: 1, Return: 2},
			{ID: 2, Client: "c2", Subject: "lock", Object: "a", Kind: history.Acquire, Outcome: history.Ok, Lease: 7, Key: "/p/lock/a/7", Token: 3, Call: 3, Return: 4},
		},
		Events: []history.Event{{Kind: history.SessionOpened, Client: "c1", Lease: 7}},
		Revisions: history.NewRevisionLog(1, 0, []history.Change{
			{Revision: 1, Time: 1, Key: "/p/lock/a/7", Create: 1, Lease: 7},
			{Revision: 2, Time: 2, Key: "/p/lock/a/7", Deleted: true},
			{Revision: 3, Time: 3, Key: "/p/lock/a/7", Create: 3, Lease: 7},
		}, nil, nil, nil),
		End: 5,
	}
	x := newIndex(h)
	got := tenures(h, x, x.byKey[objectKey{"lock", "a"}])
	if len(got) != 2 || got[0].client != "c1" || got[1].client != "c2" {
		t.Errorf("%+v", got)
	}
}
