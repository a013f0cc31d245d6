package model

import (
	"bytes"
	"math"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// Config says what kind of server is modelled. The zero value is a server with
// etcd's defaults.
type Config struct {
	// Election and Heartbeat are the server's election timeout and heartbeat
	// interval; zero means 1 s and 100 ms. The smallest TTL of a lease follows
	// from them, and by how much a new leader extends leases.
	Election, Heartbeat time.Duration

	// MaxTxnOps is how many comparisons, and how many operations on either
	// side, a transaction can have; zero means 128.
	MaxTxnOps int

	// ClusterID, MemberID and Term are told in the header of each response.
	ClusterID, MemberID, Term uint64

	// NextID gives an ID to a lease that is granted without one. It is called
	// again until its answer is not zero. The zero value counts from 1.
	NextID func() int64
}

// never is the compaction revision of a store that was never compacted. That
// it is below zero shows: see Store.checkRevision.
const never = -1

// Store is the state of one server. New makes it; it is not for concurrent
// use.
type Store struct {
	config  Config
	minTTL  int64         // seconds
	extend  time.Duration // what a promotion adds
	leaseID int64         // the last that the default of Config.NextID gave

	revision    int64
	compactions []compaction
	keys        []*record // by key; a record outlives its key
	log         []Change
	first       []int // by revision-2: the revision's first change in log
	open        int   // the first change in log of the revision being made
	leases      []*lease
	path        []bool // scratch of Txn
}

// compaction is one compaction: it was asked for when the store was at
// revision at.
type compaction struct{ at, revision int64 }

// record is all that was ever stored under one key, in order of revision.
type record struct {
	key      []byte
	versions []version
}

// version is the pair that a key had from revision on; nil if it had none.
type version struct {
	revision int64
	kv       *mvccpb.KeyValue
}

// New returns the store of a server that has just been started: empty, without
// leases, at revision 1.
func New(c Config) *Store {
	if c.Election == 0 {
		c.Election = time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 100 * time.Millisecond
	}
	if c.MaxTxnOps == 0 {
		c.MaxTxnOps = 128
	}
	// A server counts in whole heartbeats, and rounds before it multiplies.
	ticks := c.Election / c.Heartbeat
	smallest := ticks * 3 / 2 * c.Heartbeat
	return &Store{
		config:   c,
		minTTL:   int64(math.Ceil(smallest.Seconds())),
		extend:   ticks * c.Heartbeat,
		revision: 1,
	}
}

// Revision is that of the last change; 1 if there was none.
func (s *Store) Revision() int64 { return s.revision }

// Compacted is the revision of the last compaction, 0 if there was none.
// History before it can no longer be read.
func (s *Store) Compacted() int64 { return max(0, s.compactedAt(s.revision)) }

// SetTerm changes the raft term that headers tell.
func (s *Store) SetTerm(term uint64) { s.config.Term = term }

// Compact makes the history before a revision unreadable. Its errors are
// ErrGRPCCompacted and ErrGRPCFutureRev.
//
// A member that lags behind the revision at which the compaction was asked for
// has not heard of it: Range, TxnAt and Stream go by what they are told of the
// member.
func (s *Store) Compact(r *pb.CompactionRequest) (*pb.CompactionResponse, error) {
	if r.Revision <= s.compactedAt(s.revision) {
		return nil, rpctypes.ErrGRPCCompacted
	}
	if r.Revision > s.revision {
		return nil, rpctypes.ErrGRPCFutureRev
	}
	s.compactions = append(s.compactions, compaction{at: s.revision, revision: r.Revision})
	return &pb.CompactionResponse{Header: s.header(s.revision)}, nil
}

// compactedAt is the compaction revision of a member that has applied the log
// through revision at.
func (s *Store) compactedAt(at int64) int64 {
	for i := len(s.compactions) - 1; i >= 0; i-- {
		if s.compactions[i].at <= at {
			return s.compactions[i].revision
		}
	}
	return never
}

// header is that of a response of its own. Those within a transaction have
// nothing but the revision.
func (s *Store) header(revision int64) *pb.ResponseHeader {
	h := &pb.ResponseHeader{Revision: revision}
	s.complete(h)
	return h
}

// complete adds to a header what those within a transaction do not have.
func (s *Store) complete(h *pb.ResponseHeader) {
	h.ClusterId = s.config.ClusterID
	h.MemberId = s.config.MemberID
	h.RaftTerm = s.config.Term
}

// find is where in s.keys the key's record is, or would be.
func (s *Store) find(key []byte) (int, bool) {
	return slices.BinarySearchFunc(s.keys, key, func(r *record, key []byte) int {
		return bytes.Compare(r.key, key)
	})
}

// span returns the records of a key, or of all keys from key to before end, or
// from key on if end is a zero byte.
func (s *Store) span(key, end []byte) []*record {
	low, found := s.find(key)
	switch {
	case len(end) == 0 && !found:
		return nil
	case len(end) == 0:
		return s.keys[low : low+1]
	case fromKey(end):
		return s.keys[low:]
	}
	high, _ := s.find(end)
	return s.keys[low:max(low, high)]
}

// fromKey is true for the end of a range that has none.
func fromKey(end []byte) bool { return len(end) == 1 && end[0] == 0 }

// record returns the key's record, a new one if there is none.
func (s *Store) record(key []byte) *record {
	i, found := s.find(key)
	if !found {
		s.keys = slices.Insert(s.keys, i, &record{key: bytes.Clone(key)})
	}
	return s.keys[i]
}

// last is the pair that the key has now.
func (r *record) last() *mvccpb.KeyValue {
	if len(r.versions) == 0 {
		return nil
	}
	return r.versions[len(r.versions)-1].kv
}

// at is the pair that the key had once a revision was complete.
func (r *record) at(revision int64) *mvccpb.KeyValue {
	n := len(r.versions)
	if n == 0 {
		return nil
	}
	if r.versions[n-1].revision <= revision {
		return r.versions[n-1].kv
	}
	after, _ := slices.BinarySearchFunc(r.versions, revision+1, func(v version, revision int64) int {
		if v.revision < revision {
			return -1
		}
		return 1
	})
	if after == 0 {
		return nil
	}
	return r.versions[after-1].kv
}
