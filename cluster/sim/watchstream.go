package sim

import (
	"bytes"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// watchStream is the client's end of a stream of watches.
//
// When a stream is lost, clientv3's watcher opens another and asks for its watches
// again, one after the other has been granted, in the order in which it ranges
// over a map. So that this decides nothing, a stream that resumes grants such
// requests itself, one after the other, and sends all that come at one moment in an order of
// its own; what the member grants then is not told again. The watcher tells its
// user nothing of either.
type watchStream struct {
	*stream
	// resumes is true if the watcher had a stream before. The scheduler's lock
	// guards the rest.
	resumes bool
	again   []*pb.WatchCreateRequest
	granted int64
}

// firstAgain is the ID of the first watch that is granted that way; a member
// counts its own from zero.
const firstAgain = 1 << 20

func (s *watchStream) Send(r *pb.WatchRequest) error {
	create := r.GetCreateRequest()
	if !s.resumes || create == nil || create.StartRevision == 0 {
		return s.send(r, nil)
	}
	c := s.party.cluster
	c.scheduler.mu.Lock()
	request := proto.Clone(create).(*pb.WatchCreateRequest)
	request.WatchId = firstAgain + s.granted
	s.granted++
	s.again = append(s.again, request)
	first := len(s.again) == 1
	grant := func() bool {
		s.queue = append(s.queue, &pb.WatchResponse{Header: &pb.ResponseHeader{}, WatchId: request.WatchId, Created: true})
		return s.signal()
	}
	if !first {
		grant()
	}
	c.scheduler.mu.Unlock()
	if first {
		// In a step of its own: of a grant and of watches that have ended meanwhile the
		// watcher would take either first, and so keep the stream or close it.
		c.scheduler.post(post{party: s.party, kind: postSend, stream: s.id, take: func() {
			c.scheduler.after(s.party.step(), func() bool {
				c.scheduler.after(s.party.step(), func() bool {
					s.ask()
					return false
				})
				return grant()
			})
		}})
	}
	return nil
}

// ask sends the requests that were granted.
func (s *watchStream) ask() {
	all := s.again
	s.again = nil
	slices.SortFunc(all, func(a, b *pb.WatchCreateRequest) int { return bytes.Compare(what(a), what(b)) })
	for _, request := range all {
		s.say(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}})
	}
}

// what is a request for a watch without its ID.
func what(r *pb.WatchCreateRequest) []byte {
	plain := proto.Clone(r).(*pb.WatchCreateRequest)
	plain.WatchId = 0
	return marshal(plain)
}

func (s *watchStream) Recv() (*pb.WatchResponse, error) {
	for {
		p, err := s.receive()
		if err != nil {
			return nil, err
		}
		r := p.(*pb.WatchResponse)
		if r.Created && r.WatchId >= firstAgain && r.Header.GetClusterId() != 0 {
			continue // it was told before
		}
		return r, nil
	}
}
