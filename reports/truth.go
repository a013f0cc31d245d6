package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/history"
)

// tenure is one life of one key of an object, as the revision log has it: when
// it was there, and when by the subject's layout it owned the object.
type tenure struct {
	object  string
	name    string // of the key, below the object's prefix
	client  string // whose key it is, or ""
	life    *history.Life
	created time.Duration
	deleted time.Duration
	open    bool // not deleted before the log's end
	// owns is when it came to own the object; history.Never if it did not.
	owns time.Duration
}

// when is the time to draw a revision at: by then it had happened.
func when(h *history.History, revision int64) time.Duration {
	if t := h.Revisions.Latest(revision); t != history.Never {
		return t
	}
	return min(h.Revisions.Earliest(revision), h.End)
}

// tenures of all keys of an object, in the order of their creation. It is also used
// of objects that nobody holds, whose keys own nothing.
func tenures(h *history.History, x *index, o *object) []tenure {
	if h.Revisions == nil {
		return nil
	}
	info, _ := h.Header.Subject(o.subject)
	prefix := h.Header.ObjectPrefix(o.subject, o.name) + "/"
	type owner struct {
		key   string
		lease int64
	}
	keys := sync.OnceValue(func() map[owner]string { // few keys are on a lease that is no session's
		keys := map[owner]string{}
		for _, l := range o.lanes {
			for i := range l.waits {
				if op := l.waits[i].operation; op.Key != "" {
					keys[owner{op.Key, op.Lease}] = op.Client
				}
			}
		}
		return keys
	})
	granted := map[int64]string{} // by the create revision, where leases are shared
	for _, l := range o.lanes {
		for i := range l.waits {
			if op := l.waits[i].operation; op.Token != 0 && x.leases[op.Lease] != "" && x.leases[op.Lease] != op.Client && granted[op.Token] == "" {
				granted[op.Token] = op.Client
			}
		}
	}
	permits := 1
	if info.Layout == history.OldestKeys {
		permits = max(info.Permits, 1)
	}
	var last []int64      // of the keys so far, when the last went, as many as there are permits, the latest first
	var latestWrite int64 // a later reader owns only from here on
	const forever = int64(1) << 62
	lives := h.Revisions.Lives(prefix)
	all := make([]tenure, 0, len(lives))
	for i := range lives {
		life := &lives[i]
		t := tenure{object: o.name, name: strings.TrimPrefix(life.Key, prefix), life: life, created: when(h, life.Create), deleted: h.End, open: life.Delete == 0, owns: history.Never}
		// Of clients that share a session the one to whom the key was granted.
		if t.client = granted[life.Create]; t.client == "" {
			t.client = x.leases[life.Lease]
		}
		if t.client == "" {
			t.client = keys()[owner{life.Key, life.Lease}]
		}
		gone := forever
		if !t.open {
			t.deleted, gone = max(when(h, life.Delete), t.created), life.Delete
		}
		from := life.Create
		if len(last) == permits { // all but as many of the older ones have to be gone
			from = max(from, last[permits-1])
		}
		write := true
		if info.Layout == history.ReadWriteKeys && strings.HasPrefix(life.Key, prefix+"read/") {
			from, write = max(life.Create, latestWrite), false
		}
		if owners(info.Layout) && from < gone {
			t.owns = max(when(h, from), t.created)
		}
		at, _ := slices.BinarySearchFunc(last, gone, func(a, b int64) int { return cmp.Compare(b, a) })
		last = slices.Insert(last, at, gone)
		last = last[:min(len(last), permits)]
		if write {
			latestWrite = max(latestWrite, gone)
		}
		all = append(all, t)
	}
	return all
}

// end says how the tenure ended.
func (t *tenure) end() string {
	switch {
	case t.open:
		return "still there at the end of the record"
	case t.life.ByLease:
		return fmt.Sprintf("deleted when its lease ended (rev %d)", t.life.Delete)
	default:
		return fmt.Sprintf("deleted (rev %d)", t.life.Delete)
	}
}

func (t *tenure) title() string {
	owned := "it owned nothing"
	if t.owns != history.Never {
		owned = "it owned the object from " + at(t.owns)
	}
	return fmt.Sprintf("key %s on lease %x, created at %s (rev %d); %s; at %s %s", t.name,
		t.life.Lease, at(t.created), t.life.Create, owned, at(t.deleted), t.end())
}
