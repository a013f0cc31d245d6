package model

import (
	"bytes"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// The checks of a request that need no state. A server makes them before it
// proposes anything.

func checkRange(r *pb.RangeRequest) error {
	if len(r.GetKey()) == 0 {
		return rpctypes.ErrGRPCEmptyKey
	}
	if pb.RangeRequest_SortOrder_name[int32(r.SortOrder)] == "" || pb.RangeRequest_SortTarget_name[int32(r.SortTarget)] == "" {
		return rpctypes.ErrGRPCInvalidSortOption
	}
	return nil
}

func checkPut(r *pb.PutRequest) error {
	switch {
	case len(r.GetKey()) == 0:
		return rpctypes.ErrGRPCEmptyKey
	case r.IgnoreValue && len(r.Value) != 0:
		return rpctypes.ErrGRPCValueProvided
	case r.IgnoreLease && r.Lease != 0:
		return rpctypes.ErrGRPCLeaseProvided
	}
	return nil
}

func checkDelete(r *pb.DeleteRangeRequest) error {
	if len(r.GetKey()) == 0 {
		return rpctypes.ErrGRPCEmptyKey
	}
	return nil
}

// checkTxn lets a transaction within a transaction have as many operations as
// are left of the outer one's limit.
func checkTxn(r *pb.TxnRequest, limit int) error {
	most := max(len(r.GetCompare()), len(r.GetSuccess()), len(r.GetFailure()))
	if most > limit {
		return rpctypes.ErrGRPCTooManyOps
	}
	for _, c := range r.GetCompare() {
		if len(c.GetKey()) == 0 {
			return rpctypes.ErrGRPCEmptyKey
		}
	}
	for _, side := range [][]*pb.RequestOp{r.GetSuccess(), r.GetFailure()} {
		for _, op := range side {
			if err := checkOp(op, limit-most); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkOp(op *pb.RequestOp, limit int) error {
	switch op := op.GetRequest().(type) {
	case *pb.RequestOp_RequestRange:
		return checkRange(op.RequestRange)
	case *pb.RequestOp_RequestPut:
		return checkPut(op.RequestPut)
	case *pb.RequestOp_RequestDeleteRange:
		return checkDelete(op.RequestDeleteRange)
	case *pb.RequestOp_RequestTxn:
		return checkTxn(op.RequestTxn, limit)
	}
	return rpctypes.ErrGRPCKeyNotFound
}

// effects are the keys that a list of operations may put and the ranges that
// it may delete.
type effects struct {
	puts    [][]byte
	deletes []*pb.DeleteRangeRequest
}

func (e *effects) hasPut(key []byte) bool {
	for _, k := range e.puts {
		if bytes.Equal(k, key) {
			return true
		}
	}
	return false
}

// deleted is true if the key is in one of the ranges. A server overlooks those
// that have no end here, and so does this.
func (e *effects) deleted(key []byte) bool {
	for _, d := range e.deletes {
		switch {
		case len(d.RangeEnd) == 0:
			if bytes.Equal(d.Key, key) {
				return true
			}
		case bytes.Compare(d.Key, key) <= 0 && bytes.Compare(key, d.RangeEnd) < 0:
			return true
		}
	}
	return false
}

// put adds a key, unless a put or a deletion of it is known already.
func (e *effects) put(key []byte) error {
	if e.hasPut(key) || e.deleted(key) {
		return rpctypes.ErrGRPCDuplicateKey
	}
	e.puts = append(e.puts, key)
	return nil
}

// checkOverlap refuses operations that would change a key more than once.
//
// It finds what a server finds, which is not everything: of two transactions
// side by side, the second may delete what the first one puts, as deletions
// within count only for what is looked at later.
func checkOverlap(ops []*pb.RequestOp) (effects, error) {
	var all effects
	for _, op := range ops {
		if d := op.GetRequestDeleteRange(); d != nil {
			all.deletes = append(all.deletes, d)
		}
	}
	for _, op := range ops {
		inner := op.GetRequestTxn()
		if inner == nil {
			continue
		}
		then, err := checkOverlap(inner.Success)
		if err != nil {
			return all, err
		}
		otherwise, err := checkOverlap(inner.Failure)
		if err != nil {
			return all, err
		}
		for _, key := range then.puts {
			if err := all.put(key); err != nil {
				return all, err
			}
		}
		for _, key := range otherwise.puts {
			// Only one of the two sides happens: both may put a key.
			if then.hasPut(key) && !all.deleted(key) {
				continue
			}
			if err := all.put(key); err != nil {
				return all, err
			}
		}
		all.deletes = append(all.deletes, then.deletes...)
		all.deletes = append(all.deletes, otherwise.deletes...)
	}
	for _, op := range ops {
		if p := op.GetRequestPut(); p != nil {
			if err := all.put(p.Key); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}
