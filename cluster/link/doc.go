// Package link is the road between the parties of a cluster under test: a TCP
// proxy through which every connection passes, with one directed [Link] for
// each pair of who dials and who is dialled.
//
// # Usage
//
// A [Network] owns the listeners and links of one cluster. Give every party
// the address of a listener instead of the address of its target:
//
//	n := link.NewNetwork()
//	defer n.Close()
//	n.DeclarePeers("m1", "m2", "m3")
//	peers, err := n.ListenPeers("m1", "127.0.0.1:4001") // m2 and m3 dial this
//	client, err := n.Listen("c1", "m1", "127.0.0.1:5001") // c1 dials this
//
// and then harm the way between two of them, for a while:
//
//	heal := n.Link("m2", "m1").Impose(link.Condition{Cut: true})
//	defer heal()
//
// # What a link promises
//
// A link passes bytes on, keeps them back, or closes the connection. It never
// swallows bytes and then goes on: no network that speaks TCP does that, so a
// failure found that way would prove nothing.
//
//   - Cut: when Impose returns, every connection of the link has been reset on
//     both sides. New ones are reset as soon as they are accepted.
//   - Stalled: when Impose returns, no further byte passes in that direction,
//     nor the end of the stream, nor a reset. What the sender sends meanwhile
//     is kept, and passes in order when the stall is lifted. The link reads
//     ahead one buffer for each connection; beyond that the sender's own
//     socket fills up and it blocks, as it would on a real network.
//   - Otherwise bytes pass at once, and a half-close is carried over.
//
// # Who dialled
//
// Clients have a listener each. Members of an etcd cluster all dial the one
// peer address that a member advertises, and nothing in the traffic says
// reliably who they are, so the name is taken from the server name (SNI) of
// the TLS ClientHello, which passes unencrypted; TLS itself is not terminated. Of a
// peer that cannot be given such a name, [Network.Recognise] says which cipher suites
// it offers: those are in the clear in the hello too, and since both sides speak TLS
// 1.3, which has suites of its own, what they are changes nothing else.
//
// # What clients say
//
// Clients speak gRPC over HTTP/2 in the clear. The link reads along on every
// connection of a client, from its first byte on, and recognises the messages:
// it counts requests, and shows each message to whoever set a [Link.Tap] before
// its last byte is handed on. Reading along changes nothing and costs about a
// microsecond a call, beside the hundred that a call through a link takes. What
// it does not understand passes as it is; see [Stats.Blind].
//
// # Obligations of the caller
//
//   - Peers must speak TLS and each must set its own name as the server name
//     for its outgoing connections, or offer suites that tell it from the others. A peer connection that names nobody is
//     closed, since no fault could be imposed on it.
//   - Nobody may know a target's real address but the Network.
//   - The direction of a message is not the direction of the dial. In etcd the
//     receiver of raft messages opens the stream, so what m1 tells m2 passes
//     on Link("m2", "m1") towards the dialler as well as on Link("m1", "m2")
//     towards the target; a fault that silences m1 has to harm both.
//   - Every Impose needs its lift, unless the Network is closed.
package link
