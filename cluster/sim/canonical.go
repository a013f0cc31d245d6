package sim

import (
	"bytes"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// canonical is a text of a request that does not depend on the order in which a
// transaction lists its comparisons and operations: concurrency.STM ranges over
// maps. It is for putting requests into an order only.
func canonical(method string, request proto.Message) []byte {
	text := []byte(method)
	if txn, ok := request.(*pb.TxnRequest); ok {
		var parts [][]byte
		for _, c := range txn.Compare {
			parts = append(parts, append([]byte{'c'}, marshal(c)...))
		}
		for _, op := range txn.Success {
			parts = append(parts, append([]byte{'s'}, marshal(op)...))
		}
		for _, op := range txn.Failure {
			parts = append(parts, append([]byte{'f'}, marshal(op)...))
		}
		slices.SortFunc(parts, bytes.Compare)
		return append(text, bytes.Join(parts, nil)...)
	}
	return append(text, marshal(request)...)
}

func marshal(m proto.Message) []byte {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil { // what etcd's client has made can be marshalled
		panic(err)
	}
	return text
}
