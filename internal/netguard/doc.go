// Package netguard harms the connections between members that have network
// namespaces of their own, from within: no proxy of the harness's is between
// them.
//
// # Usage
//
// In the namespace of each member runs a guard: this same program in the role
// [Role], with CAP_NET_ADMIN there, which does what [Guard] does. A [Network]
// speaks to the guards, each over a stream, and has the links between their
// members:
//
//	n := netguard.NewNetwork(2380)
//	defer n.Close(ctx)
//	err := n.Add(ctx, "m1", netip.MustParseAddr("10.1.0.1"), dialM1)
//	…
//	lift := n.Link("m2", "m1").Impose(link.Condition{Cut: true})
//
// # What a link promises
//
// A guard has a table of its own in nftables, and gives it all rules at once.
// Nothing that a guard does makes a member miss bytes that were sent to it:
//
//   - Cut: when Impose returns, every connection of the link has been destroyed
//     in the target's namespace (SOCK_DESTROY), which resets both sides, also
//     one that is idle. Packets of the link are rejected with a reset, in both
//     directions, and so are new connections.
//   - Stalled: when Impose returns, no packet with data leaves the namespace of
//     the direction's sender, nor one that begins, ends or resets a connection.
//     They stay in the sender's own socket: its kernel tries again until it may,
//     at the latest after as long again as the stall has lasted, and at once
//     when there is more to send. What only acknowledges passes: it says nothing,
//     and without it the other direction would come to stand, too. That goes for
//     connections on which one side speaks at a time, as etcd's members do: an
//     acknowledgement that travels with data is kept back with it.
//   - A packet that is lost was dropped as it arrived, and its sender's kernel
//     sends it again: only etcd's messages are bytes in order, packets are not.
//
// # Obligations of the caller
//
//   - Members dial each other at one port and from the addresses that were
//     added, and at no other.
//   - Impose and lift cannot fail, but what they ask for can: [Link.Settle]
//     tells, and tries again.
//   - Guards end, and take their rules with them, when their stream does. One
//     that is killed leaves them until the next guard of its member has come:
//     the network starts one when it needs it.
package netguard
