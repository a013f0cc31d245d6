package model

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

// maxTTL is the largest TTL that can be granted, in seconds.
const maxTTL = 9_000_000_000

// lease is one lease, from its grant to its revocation.
type lease struct {
	id     int64
	ttl    int64 // seconds
	expiry time.Duration
	keys   []*record // in order of their keys
	// slow is by how much more time the lease takes than its TTL says; zero is 1.
	slow float64
}

// refresh gives the lease its TTL again, and some more.
func (l *lease) refresh(now, more time.Duration) {
	ttl := more + time.Duration(l.ttl)*time.Second
	if l.slow != 0 {
		ttl = time.Duration(float64(ttl) * l.slow)
	}
	if now > math.MaxInt64-ttl {
		l.expiry = math.MaxInt64
		return
	}
	l.expiry = now + ttl
}

// Grant makes a lease. A TTL below the smallest one is raised. Its errors are
// ErrGRPCLeaseExist and ErrGRPCLeaseTTLTooLarge.
func (s *Store) Grant(now time.Duration, r *pb.LeaseGrantRequest) (*pb.LeaseGrantResponse, error) {
	id := r.ID
	for id == 0 {
		id = s.nextID()
	}
	if r.TTL > maxTTL {
		return nil, rpctypes.ErrGRPCLeaseTTLTooLarge
	}
	i, found := s.findLease(id)
	if found {
		return nil, rpctypes.ErrGRPCLeaseExist
	}
	l := &lease{id: id, ttl: max(r.TTL, s.minTTL)}
	l.refresh(now, 0)
	s.leases = slices.Insert(s.leases, i, l)
	return &pb.LeaseGrantResponse{Header: s.header(s.revision), ID: id, TTL: l.ttl}, nil
}

// Slow makes the time of a lease pass more slowly than that of others from now on,
// as it does for a client whose own clock is fast: its seconds last slow seconds.
// The lease begins anew. An unknown lease is ignored.
func (s *Store) Slow(now time.Duration, id int64, slow float64) {
	if l := s.lease(id); l != nil {
		l.slow = slow
		l.refresh(now, 0)
	}
}

func (s *Store) nextID() int64 {
	if s.config.NextID != nil {
		return s.config.NextID()
	}
	s.leaseID++
	return s.leaseID
}

// Revoke ends a lease, and deletes the keys that are attached to it: all in
// one revision, in order of the keys; without keys there is no revision. Its
// error is ErrGRPCLeaseNotFound.
func (s *Store) Revoke(r *pb.LeaseRevokeRequest) (*pb.LeaseRevokeResponse, error) {
	i, found := s.findLease(r.ID)
	if !found {
		return nil, rpctypes.ErrGRPCLeaseNotFound
	}
	keys := slices.Clone(s.leases[i].keys)
	s.begin()
	for _, record := range keys {
		s.remove(record, r.ID)
	}
	s.commit()
	s.leases = slices.Delete(s.leases, i, i+1)
	return &pb.LeaseRevokeResponse{Header: s.header(s.revision)}, nil
}

// Renew answers a keep-alive: the lease has its whole TTL again. For a lease
// that does not exist or is Lapsed the TTL is 0, and nothing changes.
func (s *Store) Renew(now time.Duration, r *pb.LeaseKeepAliveRequest) (*pb.LeaseKeepAliveResponse, error) {
	resp := &pb.LeaseKeepAliveResponse{Header: s.header(s.revision), ID: r.ID}
	if l := s.lease(r.ID); l != nil && l.expiry > now {
		l.refresh(now, 0)
		resp.TTL = l.ttl
	}
	return resp, nil
}

// TimeToLive tells how long a lease still has, in whole seconds: 0 in its last
// second, and after it until it is revoked, -1 if it does not exist. (A server
// that does not get to revoke a lease for more than a second after its time
// counts on below zero.)
func (s *Store) TimeToLive(now time.Duration, r *pb.LeaseTimeToLiveRequest) (*pb.LeaseTimeToLiveResponse, error) {
	resp := &pb.LeaseTimeToLiveResponse{Header: s.header(s.revision), ID: r.ID, TTL: -1}
	l := s.lease(r.ID)
	if l == nil {
		return resp, nil
	}
	left := (l.expiry - now).Seconds()
	if l.slow != 0 {
		left /= l.slow
	}
	resp.TTL = int64(left)
	resp.GrantedTTL = l.ttl
	if r.Keys {
		for _, record := range l.keys {
			resp.Keys = append(resp.Keys, record.key)
		}
	}
	return resp, nil
}

// Leases lists all leases in the order in which they expire; those that expire
// at the same time, in order of their IDs.
func (s *Store) Leases(*pb.LeaseLeasesRequest) (*pb.LeaseLeasesResponse, error) {
	resp := &pb.LeaseLeasesResponse{Header: s.header(s.revision)}
	for _, l := range s.byExpiry() {
		resp.Leases = append(resp.Leases, &pb.LeaseStatus{ID: l.id})
	}
	return resp, nil
}

func (s *Store) findLease(id int64) (int, bool) {
	return slices.BinarySearchFunc(s.leases, id, func(l *lease, id int64) int {
		return cmp.Compare(l.id, id)
	})
}

func (s *Store) lease(id int64) *lease {
	if i, found := s.findLease(id); found {
		return s.leases[i]
	}
	return nil
}

// move takes a key from one lease to another; 0 is none.
func (s *Store) move(r *record, from, to int64) {
	if from == to {
		return
	}
	byKey := func(a, b *record) int { return bytes.Compare(a.key, b.key) }
	if l := s.lease(from); l != nil {
		if i, found := slices.BinarySearchFunc(l.keys, r, byKey); found {
			l.keys = slices.Delete(l.keys, i, i+1)
		}
	}
	if l := s.lease(to); l != nil {
		i, _ := slices.BinarySearchFunc(l.keys, r, byKey)
		l.keys = slices.Insert(l.keys, i, r)
	}
}
