package model

import (
	"bytes"
	"cmp"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// ReadOnly is true if a server does not send the transaction through raft:
// all its operations, on both sides, are reads. One within another never is.
func ReadOnly(r *pb.TxnRequest) bool {
	return every(r, func(read *pb.RangeRequest) bool { return read != nil })
}

// Serializable is true if a server answers the transaction from what it has
// applied, and does not ask the leader first: all its operations are
// serializable reads.
func Serializable(r *pb.TxnRequest) bool {
	return every(r, func(read *pb.RangeRequest) bool { return read.GetSerializable() })
}

func every(r *pb.TxnRequest, holds func(*pb.RangeRequest) bool) bool {
	for _, side := range [][]*pb.RequestOp{r.Success, r.Failure} {
		for _, op := range side {
			if !holds(op.GetRequestRange()) {
				return false
			}
		}
	}
	return true
}

// Txn runs a transaction on an up-to-date member. Beside the errors of its
// operations, its errors are ErrGRPCTooManyOps and ErrGRPCDuplicateKey, and
// ErrGRPCKeyNotFound for an operation that is empty.
func (s *Store) Txn(r *pb.TxnRequest) (*pb.TxnResponse, error) { return s.TxnAt(r, s.revision) }

// TxnAt is Txn on a member that has applied the log through revision at. For a
// transaction that is not ReadOnly, at is without effect: it is applied after
// everything else.
func (s *Store) TxnAt(r *pb.TxnRequest, at int64) (*pb.TxnResponse, error) {
	if err := checkTxn(r, s.config.MaxTxnOps); err != nil {
		return nil, err
	}
	for _, side := range [][]*pb.RequestOp{r.Success, r.Failure} {
		if _, err := checkOverlap(side); err != nil {
			return nil, err
		}
	}
	t := transaction{Store: s, at: at}
	if !ReadOnly(r) {
		t.at = s.revision
	}
	t.compacted = s.compactedAt(t.at)

	// Which way to go is decided, all the way down, before anything is done.
	s.path = t.decide(r, s.path[:0])
	t.rest = s.path
	if err := t.check(r); err != nil {
		return nil, err
	}
	t.rest = s.path
	s.begin()
	resp, err := t.run(r)
	s.commit()
	if err != nil {
		return nil, err
	}
	// A transaction that changes nothing leaves the store at t.at, as it was.
	resp.Header.Revision = t.at
	s.complete(resp.Header)
	if s.changed() {
		resp.Header.Revision = s.revision
	}
	return resp, nil
}

// transaction is one that is being run.
type transaction struct {
	*Store
	at        int64 // revision of the store before
	compacted int64
	rest      []bool // of the decisions, in the order of the transactions
}

// decide appends whether each transaction succeeds, an outer one before those
// within its side that is taken.
func (t *transaction) decide(r *pb.TxnRequest, path []bool) []bool {
	succeeds := true
	for _, c := range r.Compare {
		if !t.compare(c) {
			succeeds = false
			break
		}
	}
	path = append(path, succeeds)
	for _, op := range taken(r, succeeds) {
		if inner := op.GetRequestTxn(); inner != nil {
			path = t.decide(inner, path)
		}
	}
	return path
}

func taken(r *pb.TxnRequest, succeeds bool) []*pb.RequestOp {
	if succeeds {
		return r.Success
	}
	return r.Failure
}

// next returns the next decision.
func (t *transaction) next() bool {
	decision := t.rest[0]
	t.rest = t.rest[1:]
	return decision
}

// check refuses what cannot be done.
func (t *transaction) check(r *pb.TxnRequest) error {
	for _, op := range taken(r, t.next()) {
		var err error
		switch op := op.Request.(type) {
		case *pb.RequestOp_RequestRange:
			err = t.checkRevision(op.RequestRange.Revision)
		case *pb.RequestOp_RequestPut:
			err = t.checkPresence(op.RequestPut)
		case *pb.RequestOp_RequestTxn:
			err = t.check(op.RequestTxn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkRevision is stricter than Range: there, a revision below zero means the
// latest. Here it is before the compaction, but for -1 when there was none.
func (t *transaction) checkRevision(revision int64) error {
	switch {
	case revision == 0:
		return nil
	case revision > t.at:
		return rpctypes.ErrGRPCFutureRev
	case revision < t.compacted:
		return rpctypes.ErrGRPCCompacted
	}
	return nil
}

// run does the operations. The response's header is left empty, as it stays in
// one transaction within another.
func (t *transaction) run(r *pb.TxnRequest) (*pb.TxnResponse, error) {
	resp := &pb.TxnResponse{Header: &pb.ResponseHeader{}, Succeeded: t.next()}
	ops := taken(r, resp.Succeeded)
	if len(ops) > 0 {
		resp.Responses = make([]*pb.ResponseOp, 0, len(ops))
	}
	for _, op := range ops {
		answer := &pb.ResponseOp{}
		switch op := op.Request.(type) {
		case *pb.RequestOp_RequestRange:
			view := t.at
			if t.changed() {
				view = t.view()
			}
			read, err := t.rangeFrom(op.RequestRange, view, t.compacted)
			if err != nil {
				return nil, err
			}
			answer.Response = &pb.ResponseOp_ResponseRange{ResponseRange: read}
		case *pb.RequestOp_RequestPut:
			answer.Response = &pb.ResponseOp_ResponsePut{ResponsePut: t.put(op.RequestPut)}
		case *pb.RequestOp_RequestDeleteRange:
			answer.Response = &pb.ResponseOp_ResponseDeleteRange{ResponseDeleteRange: t.deleteRange(op.RequestDeleteRange)}
		case *pb.RequestOp_RequestTxn:
			inner, err := t.run(op.RequestTxn)
			if err != nil {
				return nil, err
			}
			answer.Response = &pb.ResponseOp_ResponseTxn{ResponseTxn: inner}
		}
		resp.Responses = append(resp.Responses, answer)
	}
	return resp, nil
}

// compare is true if a comparison holds for every key of its range. If there
// is none, numbers are compared with zero, and values with nothing.
func (t *transaction) compare(c *pb.Compare) bool {
	found := false
	for _, record := range t.span(c.Key, c.RangeEnd) {
		kv := record.at(t.at)
		if kv == nil {
			continue
		}
		found = true
		if !holds(c, kv) {
			return false
		}
	}
	if found {
		return true
	}
	return c.Target != pb.Compare_VALUE && holds(c, &mvccpb.KeyValue{})
}

// holds compares one pair. What has no known target or result holds or not as
// if both sides were equal, or always.
func holds(c *pb.Compare, kv *mvccpb.KeyValue) bool {
	order := 0
	switch c.Target {
	case pb.Compare_VALUE:
		order = bytes.Compare(kv.Value, c.GetValue())
	case pb.Compare_CREATE:
		order = cmp.Compare(kv.CreateRevision, c.GetCreateRevision())
	case pb.Compare_MOD:
		order = cmp.Compare(kv.ModRevision, c.GetModRevision())
	case pb.Compare_VERSION:
		order = cmp.Compare(kv.Version, c.GetVersion())
	case pb.Compare_LEASE:
		order = cmp.Compare(kv.Lease, c.GetLease())
	}
	switch c.Result {
	case pb.Compare_EQUAL:
		return order == 0
	case pb.Compare_NOT_EQUAL:
		return order != 0
	case pb.Compare_GREATER:
		return order > 0
	case pb.Compare_LESS:
		return order < 0
	}
	return true
}
