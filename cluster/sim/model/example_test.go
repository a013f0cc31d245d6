package model_test

import (
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/etcd-holdfast/holdfast/cluster/sim/model"
)

// A key lives as long as its lease, which the caller ends when its time is
// over; whoever watches the key is told.
func Example() {
	s := model.New(model.Config{})
	lease, _ := s.Grant(0, &pb.LeaseGrantRequest{ID: 7, TTL: 10})

	stream := s.NewStream()
	stream.Request(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{
		CreateRequest: &pb.WatchCreateRequest{Key: []byte("lock")},
	}}, s.Revision())

	s.Put(&pb.PutRequest{Key: []byte("lock"), Value: []byte("mine"), Lease: lease.ID})
	fmt.Println("at 9 s:", s.Due(9*time.Second))
	fmt.Println("at 10 s:", s.Due(10*time.Second))
	for _, id := range s.Due(10 * time.Second) {
		s.Revoke(&pb.LeaseRevokeRequest{ID: id})
	}

	for _, response := range stream.Advance(s.Revision()) {
		for _, event := range response.Events {
			fmt.Println(response.Header.Revision, event.Type, string(event.Kv.Key))
		}
	}
	// Output:
	// at 9 s: []
	// at 10 s: [7]
	// 2 PUT lock
	// 3 DELETE lock
}
