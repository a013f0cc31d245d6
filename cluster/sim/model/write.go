package model

import (
	"bytes"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// Put writes a pair. Its errors are ErrGRPCEmptyKey, ErrGRPCValueProvided,
// ErrGRPCLeaseProvided, ErrGRPCLeaseNotFound and, for a put that keeps the
// value or the lease of a key that does not exist, ErrGRPCKeyNotFound.
func (s *Store) Put(r *pb.PutRequest) (*pb.PutResponse, error) {
	if err := checkPut(r); err != nil {
		return nil, err
	}
	if err := s.checkPresence(r); err != nil {
		return nil, err
	}
	s.begin()
	resp := s.put(r)
	s.commit()
	s.complete(resp.Header)
	return resp, nil
}

// DeleteRange deletes a key or all keys of a range. Its error is
// ErrGRPCEmptyKey.
func (s *Store) DeleteRange(r *pb.DeleteRangeRequest) (*pb.DeleteRangeResponse, error) {
	if err := checkDelete(r); err != nil {
		return nil, err
	}
	s.begin()
	resp := s.deleteRange(r)
	s.commit()
	s.complete(resp.Header)
	return resp, nil
}

// checkPresence refuses a put that refers to a lease or a pair that is not
// there.
func (s *Store) checkPresence(r *pb.PutRequest) error {
	if r.Lease != 0 && s.lease(r.Lease) == nil {
		return rpctypes.ErrGRPCLeaseNotFound
	}
	if (r.IgnoreValue || r.IgnoreLease) && s.current(r.Key) == nil {
		return rpctypes.ErrGRPCKeyNotFound
	}
	return nil
}

// current is the pair that a key has now.
func (s *Store) current(key []byte) *mvccpb.KeyValue {
	if i, found := s.find(key); found {
		return s.keys[i].last()
	}
	return nil
}

// put writes in the open revision.
func (s *Store) put(r *pb.PutRequest) *pb.PutResponse {
	record := s.record(r.Key)
	old := record.last()
	revision := s.revision + 1
	kv := &mvccpb.KeyValue{
		Key:            record.key,
		Value:          bytes.Clone(r.Value),
		CreateRevision: revision,
		ModRevision:    revision,
		Version:        1,
		Lease:          r.Lease,
	}
	if old != nil {
		kv.CreateRevision, kv.Version = old.CreateRevision, old.Version+1
		if r.IgnoreValue {
			kv.Value = old.Value
		}
		if r.IgnoreLease {
			kv.Lease = old.Lease
		}
	}
	s.move(record, old.GetLease(), kv.Lease)
	s.change(record, kv, 0)

	resp := &pb.PutResponse{Header: &pb.ResponseHeader{Revision: revision}}
	if r.PrevKv {
		resp.PrevKv = old
	}
	return resp
}

// deleteRange deletes in the open revision.
func (s *Store) deleteRange(r *pb.DeleteRangeRequest) *pb.DeleteRangeResponse {
	resp := &pb.DeleteRangeResponse{}
	for _, record := range s.span(r.Key, r.RangeEnd) {
		old := record.last()
		if old == nil {
			continue
		}
		s.remove(record, 0)
		resp.Deleted++
		if r.PrevKv {
			resp.PrevKvs = append(resp.PrevKvs, old)
		}
	}
	resp.Header = &pb.ResponseHeader{Revision: s.view()}
	return resp
}

// remove deletes a key that exists.
func (s *Store) remove(r *record, leaseEnd int64) {
	s.move(r, r.last().Lease, 0)
	s.change(r, nil, leaseEnd)
}
