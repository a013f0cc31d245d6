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
// requests itself, one at a time but without delay, and sends all of them together
// in an order of its own; what the member grants then is not told again. The
// watcher tells its user nothing of either.
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
	request := proto.Clone(create).(*pb.WatchCreateRequest)
	scheduler := s.party.cluster.scheduler
	scheduler.post(post{party: s.party, kind: postSend, stream: s.id, take: func() {
		scheduler.after(0, func() bool { return s.grant(request) })
	}})
	return nil
}

// grant grants a watch again, and asks the member for all of them if the watcher
// does not go on to another. It is an event of its own: the watcher takes note of
// watches that ended meanwhile before it hears of it, not at the same time.
func (s *watchStream) grant(request *pb.WatchCreateRequest) bool {
	request.WatchId = firstAgain + s.granted
	s.granted++
	s.again = append(s.again, request)
	granted := s.granted
	s.queue = append(s.queue, &pb.WatchResponse{Header: &pb.ResponseHeader{}, WatchId: request.WatchId, Created: true})
	// Behind the post of the next request, and before that is granted.
	scheduler := s.party.cluster.scheduler
	scheduler.after(0, func() bool {
		scheduler.after(0, func() bool {
			if s.granted == granted {
				s.ask()
			}
			return false
		})
		return false
	})
	return s.signal()
}

// ask sends the requests that were granted. Whether the watcher has asked for a
// watch that ended meanwhile depends on its map: nobody would hear of that one.
func (s *watchStream) ask() {
	all := s.again
	s.again = nil
	slices.SortFunc(all, func(a, b *pb.WatchCreateRequest) int { return bytes.Compare(what(a), what(b)) })
	wanted := s.remote.wanted()
	for _, request := range all {
		if key := string(request.Key); wanted[key] > 0 {
			wanted[key]--
			s.say(&pb.WatchRequest{RequestUnion: &pb.WatchRequest_CreateRequest{CreateRequest: request}})
		}
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
