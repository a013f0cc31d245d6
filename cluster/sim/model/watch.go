package model

import (
	"bytes"
	"math"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
)

const (
	// noWatch is the ID in a response that is not about one watch.
	noWatch = -1
	// catchUpRevisions is how many revisions one response tells a watch that
	// catches up.
	catchUpRevisions = 1000
)

// What a server says of a watch that it refuses.
const (
	reasonEmptyRange  = "mvcc: watcher range is empty"
	reasonDuplicateID = "mvcc: duplicate watch ID provided on the WatchStream"
)

// Stream is one gRPC watch stream to one member. Whenever one of its methods
// is given a revision, that is the one through which the member has applied
// the log; it never goes back.
//
// A watch that starts in the future, or now, is synced: it is told each
// revision by itself when the member applies it. One that starts in the past
// is behind: it is told nothing until it catches up, and then all at once.
type Stream struct {
	store   *Store
	watches []*watch // in the order of their creation
	nextID  int64
}

// watch is one watch of a stream.
type watch struct {
	id       int64
	key, end []byte
	start    int64 // as asked for
	next     int64 // the first revision that it was not told of
	behind   bool
	ended    bool // by compaction; its ID is taken until it is cancelled
	prevKV   bool
	noPut    bool
	noDelete bool
}

// NewStream opens a stream.
func (s *Store) NewStream() *Stream { return &Stream{store: s} }

// Request returns the responses to one request. Those that Notify has to tell
// come first, as the member had applied them before it read the request.
func (w *Stream) Request(r *pb.WatchRequest, at int64) []*pb.WatchResponse {
	told := w.Notify(at)
	switch u := r.RequestUnion.(type) {
	case *pb.WatchRequest_CreateRequest:
		if u.CreateRequest != nil {
			told = append(told, w.create(u.CreateRequest, at))
		}
	case *pb.WatchRequest_CancelRequest:
		if u.CancelRequest != nil {
			told = append(told, w.cancel(u.CancelRequest.WatchId, at)...)
		}
	case *pb.WatchRequest_ProgressRequest:
		if u.ProgressRequest != nil {
			told = append(told, w.progress(at)...)
		}
	}
	return told
}

// Advance returns what Notify and then CatchUp return.
func (w *Stream) Advance(at int64) []*pb.WatchResponse {
	return append(w.Notify(at), w.CatchUp(at)...)
}

// Behind is true if there is something for CatchUp to do. A server does it
// each 100 ms.
func (w *Stream) Behind() bool {
	return slices.ContainsFunc(w.watches, func(watch *watch) bool { return watch.behind })
}

// Notify tells synced watches what they have not been told: for each revision
// and each watch one response, in this order.
func (w *Stream) Notify(at int64) []*pb.WatchResponse {
	from := int64(math.MaxInt64)
	for _, watch := range w.watches {
		if watch.synced() {
			from = min(from, watch.next)
		}
	}
	var told []*pb.WatchResponse
	for revision := from; revision <= at; revision++ {
		changes := w.store.Changes(revision, revision)
		// Whatever compaction there is now, the member sent this before.
		compacted := w.store.compactedAt(revision - 1)
		for _, watch := range w.watches {
			if !watch.synced() || watch.next > revision {
				continue
			}
			watch.next = revision + 1
			if events := watch.filter(changes, compacted); events != nil {
				told = append(told, w.response(watch.id, revision, events))
			}
		}
	}
	return told
}

// CatchUp brings watches that are behind up to date: it tells each in as few
// responses as a server, or ends it if it would start before the compaction.
func (w *Stream) CatchUp(at int64) []*pb.WatchResponse {
	var told []*pb.WatchResponse
	compacted := w.store.compactedAt(at)
	for _, watch := range w.watches {
		if !watch.behind {
			continue
		}
		watch.behind = false
		if watch.next < compacted {
			watch.ended = true
			// The one header without a revision.
			end := w.response(watch.id, 0, nil)
			end.Canceled, end.CompactRevision = true, compacted
			told = append(told, end)
			continue
		}
		for watch.next <= at {
			var changes []Change
			changes, watch.next = watch.batch(w.store.Changes(watch.next, at), at)
			if events := watch.filter(changes, compacted); events != nil {
				told = append(told, w.response(watch.id, at, events))
			}
		}
	}
	return told
}

func (w *Stream) response(id, revision int64, events []*mvccpb.Event) *pb.WatchResponse {
	return &pb.WatchResponse{Header: w.store.header(revision), WatchId: id, Events: events}
}

func (w *Stream) create(r *pb.WatchCreateRequest, at int64) *pb.WatchResponse {
	refuse := func(reason string) *pb.WatchResponse {
		resp := w.response(noWatch, at, nil)
		resp.Created, resp.Canceled, resp.CancelReason = true, true, reason
		return resp
	}
	watch := &watch{
		key:      bytes.Clone(r.Key),
		end:      bytes.Clone(r.RangeEnd),
		start:    r.StartRevision,
		next:     r.StartRevision,
		behind:   r.StartRevision != 0 && r.StartRevision <= at,
		prevKV:   r.PrevKv,
		noPut:    slices.Contains(r.Filters, pb.WatchCreateRequest_NOPUT),
		noDelete: slices.Contains(r.Filters, pb.WatchCreateRequest_NODELETE),
	}
	if len(watch.key) == 0 {
		watch.key = []byte{0}
	}
	if !watch.behind {
		watch.next = max(watch.next, at+1)
	}
	if r.StartRevision < 0 {
		return refuse(rpctypes.ErrCompacted.Error())
	}
	if len(watch.end) > 0 && !fromKey(watch.end) && bytes.Compare(watch.key, watch.end) >= 0 {
		return refuse(reasonEmptyRange)
	}
	if watch.id = r.WatchId; watch.id == 0 {
		for w.watch(w.nextID) != nil {
			w.nextID++
		}
		watch.id = w.nextID
		w.nextID++
	} else if w.watch(watch.id) != nil {
		return refuse(reasonDuplicateID)
	}
	w.watches = append(w.watches, watch)
	resp := w.response(watch.id, at, nil)
	resp.Created = true
	return resp
}

// cancel answers nothing for a watch that does not exist.
func (w *Stream) cancel(id, at int64) []*pb.WatchResponse {
	i := slices.IndexFunc(w.watches, func(watch *watch) bool { return watch.id == id })
	if i < 0 {
		return nil
	}
	w.watches = slices.Delete(w.watches, i, i+1)
	resp := w.response(id, at, nil)
	resp.Canceled = true
	return []*pb.WatchResponse{resp}
}

// progress answers only if there are watches, and all are synced and started.
func (w *Stream) progress(at int64) []*pb.WatchResponse {
	for _, watch := range w.watches {
		if !watch.synced() || watch.start > at {
			return nil
		}
	}
	if len(w.watches) == 0 {
		return nil
	}
	return []*pb.WatchResponse{w.response(noWatch, at, nil)}
}

func (w *Stream) watch(id int64) *watch {
	for _, watch := range w.watches {
		if watch.id == id {
			return watch
		}
	}
	return nil
}

func (w *watch) synced() bool { return !w.behind && !w.ended }

func (w *watch) covers(key []byte) bool {
	switch {
	case len(w.end) == 0:
		return bytes.Equal(w.key, key)
	case bytes.Compare(key, w.key) < 0:
		return false
	}
	return fromKey(w.end) || bytes.Compare(key, w.end) < 0
}

// batch returns the leading changes that go into one response, and the first
// revision that is not among them.
func (w *watch) batch(changes []Change, at int64) ([]Change, int64) {
	revisions, last := 0, int64(0)
	for i := range changes {
		if changes[i].Revision == last || !w.covers(changes[i].KV.Key) {
			continue
		}
		last = changes[i].Revision
		if revisions++; revisions > catchUpRevisions {
			return changes[:i], last
		}
	}
	return changes, at + 1
}

// filter returns the events that the watch wants of some changes. The pair
// before is only told where it can still be read.
func (w *watch) filter(changes []Change, compacted int64) []*mvccpb.Event {
	var events []*mvccpb.Event
	for i := range changes {
		c := &changes[i]
		if c.Deleted && w.noDelete || !c.Deleted && w.noPut || !w.covers(c.KV.Key) {
			continue
		}
		e := &mvccpb.Event{Kv: c.KV}
		created := false
		if c.Deleted {
			e.Type = mvccpb.Event_DELETE
		} else {
			created = c.KV.CreateRevision == c.Revision
		}
		if w.prevKV && !created && c.Revision-1 >= compacted {
			e.PrevKv = c.Prev
		}
		events = append(events, e)
	}
	return events
}
