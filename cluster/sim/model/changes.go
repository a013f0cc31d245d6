package model

import "go.etcd.io/etcd/api/v3/mvccpb"

// Change is one change of one key.
type Change struct {
	// Revision is the one that the change is part of.
	Revision int64
	// KV is the pair as it was put. If the key was deleted, it has the key and
	// the revision only.
	KV *mvccpb.KeyValue
	// Prev is the pair before the revision, nil if there was none.
	Prev *mvccpb.KeyValue
	// Deleted is true if the key was deleted, and not put.
	Deleted bool
	// LeaseEnd is the lease whose end deleted the key, or 0.
	LeaseEnd int64
}

// Changes returns all changes from one revision through another, both
// included, in the order in which they were made. Every revision from 2 on has
// at least one. The slice is the store's own.
func (s *Store) Changes(from, through int64) []Change {
	from, through = max(from, 2), min(through, s.revision)
	if from > through {
		return nil
	}
	end := len(s.log)
	if through < s.revision {
		end = s.first[through-1]
	}
	start := s.first[from-2]
	return s.log[start:end:end]
}

// begin opens the next revision, commit closes it. It only comes to be if
// something changed in between.
func (s *Store) begin() { s.open = len(s.log) }

func (s *Store) commit() {
	if s.changed() {
		s.revision++
		s.first = append(s.first, s.open)
	}
}

func (s *Store) changed() bool { return len(s.log) > s.open }

// view is the revision that is read within the open one.
func (s *Store) view() int64 {
	if s.changed() {
		return s.revision + 1
	}
	return s.revision
}

// change adds a change of a record to the open revision. A nil kv deletes.
func (s *Store) change(r *record, kv *mvccpb.KeyValue, leaseEnd int64) {
	revision := s.revision + 1
	before := r.last()
	if n := len(r.versions); n > 0 && r.versions[n-1].revision == revision {
		before = r.at(s.revision)
	}
	c := Change{Revision: revision, KV: kv, Prev: before, Deleted: kv == nil, LeaseEnd: leaseEnd}
	if kv == nil {
		c.KV = &mvccpb.KeyValue{Key: r.key, ModRevision: revision}
	}
	r.versions = append(r.versions, version{revision, kv})
	s.log = append(s.log, c)
}
