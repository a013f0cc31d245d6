package link

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Message is one gRPC message that a link has recognised in the traffic of a
// client.
type Message struct {
	// Method is the full name of the call that it belongs to, for example
	// "/etcdserverpb.KV/Txn".
	Method string
	// Direction is ToTarget for what the client says, ToDialler for what it is
	// answered. An answer is a reply: an error comes without a message.
	Direction Direction
	// Content tells the messages of etcd's long-lived streams apart.
	Content Content
	// Lease is the lease that a KeepAlive is about, or that was granted, and TTL, of an
	// answer, how many seconds it has to live from then on: none if it is over.
	Lease, TTL int64
}

// Content is what a message of a stream says.
type Content string

// The contents. A message of any other call, and one of a watch that says none
// of this, has none.
const (
	WatchCreate   Content = "create"   // a request for a new watch
	WatchCancel   Content = "cancel"   // a request to end one
	WatchProgress Content = "progress" // a request for, or a notice of, how far a watch is
	WatchCreated  Content = "created"  // the answer to WatchCreate, even if it refuses
	WatchEvents   Content = "events"   // changes that a watch shows
	WatchCanceled Content = "canceled" // a watch has ended
	KeepAlive     Content = "keepalive"
)

// The calls of whose messages more is read than the name.
const (
	watchMethod     = "/etcdserverpb.Watch/Watch"
	keepAliveMethod = "/etcdserverpb.Lease/LeaseKeepAlive"
	grantMethod     = "/etcdserverpb.Lease/LeaseGrant"
)

// Call is the method's own name: "Txn" of "/etcdserverpb.KV/Txn".
func (m Message) Call() string { return m.Method[strings.LastIndexByte(m.Method, '/')+1:] }

// excerptSize is how much of a message's beginning is looked at: more than all
// that comes before the events of a watch's answer.
const excerptSize = 512

// contentOf reads a message's content off its beginning.
func contentOf(method string, d Direction, excerpt []byte) Content {
	switch {
	case method == keepAliveMethod:
		return KeepAlive
	case method != watchMethod:
		return ""
	case d == ToTarget:
		return watchRequest(excerpt)
	default:
		return watchAnswer(excerpt)
	}
}

// keptAlive reads which lease etcdserverpb.LeaseKeepAliveRequest and -Response are
// about, and for how long it was renewed. LeaseGrantResponse has the same in the same
// places.
func keptAlive(d Direction, excerpt []byte) (lease, ttl int64) {
	id := protowire.Number(1)
	if d == ToDialler {
		id = 2
	}
	for len(excerpt) > 0 {
		field, kind, n := protowire.ConsumeTag(excerpt)
		if n < 0 {
			break
		}
		excerpt = excerpt[n:]
		if kind == protowire.VarintType {
			if v, n := protowire.ConsumeVarint(excerpt); n > 0 && field == id {
				lease = int64(v)
			} else if n > 0 && d == ToDialler && field == 3 {
				ttl = int64(v)
			}
		}
		if n = protowire.ConsumeFieldValue(field, kind, excerpt); n < 0 {
			break
		}
		excerpt = excerpt[n:]
	}
	return lease, ttl
}

// watchRequest tells the members of etcdserverpb.WatchRequest's union apart.
func watchRequest(excerpt []byte) Content {
	field, _, n := protowire.ConsumeTag(excerpt)
	if n < 0 {
		return ""
	}
	switch field {
	case 1:
		return WatchCreate
	case 2:
		return WatchCancel
	case 3:
		return WatchProgress
	}
	return ""
}

// watchAnswer looks at which fields an etcdserverpb.WatchResponse has.
func watchAnswer(excerpt []byte) Content {
	var created, canceled bool
	for len(excerpt) > 0 {
		field, kind, n := protowire.ConsumeTag(excerpt)
		if n < 0 {
			break
		}
		if field == 11 {
			return WatchEvents
		}
		excerpt = excerpt[n:]
		if field == 3 || field == 4 {
			yes, n := protowire.ConsumeVarint(excerpt)
			if n < 0 {
				break
			}
			created = created || field == 3 && yes != 0
			canceled = canceled || field == 4 && yes != 0
		}
		if n = protowire.ConsumeFieldValue(field, kind, excerpt); n < 0 {
			break
		}
		excerpt = excerpt[n:]
	}
	switch {
	case created:
		return WatchCreated
	case canceled:
		return WatchCanceled
	default:
		return WatchProgress
	}
}
