package netguard

import (
	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Where things are in the headers of a packet (RFC 791, RFC 9293).
const (
	ipLength, ipProtocol, ipSource, ipTarget  = 2, 9, 12, 16
	tcpSource, tcpTarget, tcpLength, tcpFlags = 0, 2, 12, 13

	fin, syn, rst, ack = 1, 2, 4, 16
)

// What to do with a packet.
var (
	accept = &expr.Verdict{Kind: expr.VerdictAccept}
	drop   = &expr.Verdict{Kind: expr.VerdictDrop}
	reset  = &expr.Reject{Type: unix.NFT_REJECT_TCP_RST}
)

// batch gathers the rules that come into force together.
type batch struct {
	table *table
	conn  *nftables.Conn
	made  map[string]bool // the counters that are new
}

func (b *batch) rule(c *nftables.Chain, parts ...[]expr.Any) {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	b.conn.AddRule(&nftables.Rule{Table: b.table.table, Chain: c, Exprs: all})
}

// count counts packets in a counter, which outlives the rules.
func (b *batch) count(name string) []expr.Any {
	if !b.table.counters[name] && !b.made[name] {
		b.made[name] = true
		b.conn.AddObj(&nftables.NamedObj{Table: b.table.table, Name: name, Type: nftables.ObjTypeCounter, Obj: &expr.Counter{}})
	}
	return []expr.Any{&expr.Objref{Type: int(nftables.ObjTypeCounter), Name: name}}
}

// cut rejects what is on the way between who and the port here, both ways. Resets
// pass: it is by them that either side is told.
func (b *batch) cut(who address, port uint16) {
	there, back := join(from(who), targetPort(port)), join(to(who), sourcePort(port))
	b.rule(b.table.in, there, flags(rst, rst), do(accept))
	b.rule(b.table.in, there, flags(syn|ack, syn), b.count(counter(refused, who)), do(reset))
	b.rule(b.table.in, there, b.count(counter(rejected, who)), do(reset))
	b.rule(b.table.out, back, flags(rst, rst), do(accept))
	b.rule(b.table.out, back, b.count(counter(resetBack, who)), do(reset))
}

// hold keeps back what matches and leaves here, but for bare acknowledgements.
func (b *batch) hold(name string, match ...[]expr.Any) {
	m := join(match...)
	b.rule(b.table.out, m, flags(syn|fin|rst, 0), bare(b.table.bare), do(accept))
	b.rule(b.table.out, m, b.count(name), do(drop))
}

// lose drops some of what arrives.
func (b *batch) lose(l loss) {
	b.rule(b.table.in, from(l.From), b.count(counter(arrived, l.From)))
	b.rule(b.table.in, from(l.From), chance(l.PerMillion), b.count(counter(lost, l.From)), do(drop))
}

func join(parts ...[]expr.Any) []expr.Any {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func do(e expr.Any) []expr.Any { return []expr.Any{e} }

func network(offset, length, register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
}

func transport(offset, length, register uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: length}
}

func equal(data ...byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }

func masked(mask byte, register uint32) expr.Any {
	return &expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{mask}, Xor: []byte{0}}
}

func from(who address) []expr.Any {
	return []expr.Any{network(ipSource, 4, 1), equal(who.AsSlice()...)}
}

func to(who address) []expr.Any {
	return []expr.Any{network(ipTarget, 4, 1), equal(who.AsSlice()...)}
}

func tcp() []expr.Any { return []expr.Any{network(ipProtocol, 1, 1), equal(unix.IPPROTO_TCP)} }

func sourcePort(port uint16) []expr.Any {
	return join(tcp(), []expr.Any{transport(tcpSource, 2, 1), equal(binaryutil.BigEndian.PutUint16(port)...)})
}

func targetPort(port uint16) []expr.Any {
	return join(tcp(), []expr.Any{transport(tcpTarget, 2, 1), equal(binaryutil.BigEndian.PutUint16(port)...)})
}

// flags matches packets that have, of the flags in mask, those in set and no other.
func flags(mask, set byte) []expr.Any {
	return []expr.Any{transport(tcpFlags, 1, 1), masked(mask, 1), equal(set)}
}

// bare matches packets without data: the length of the whole is that of the
// headers.
func bare(set *nftables.Set) []expr.Any {
	return []expr.Any{
		transport(tcpLength, 1, unix.NFT_REG32_00), masked(0xf0, unix.NFT_REG32_00),
		network(ipLength, 2, unix.NFT_REG32_01),
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, SetName: set.Name, SetID: set.ID},
	}
}

// bareSegments are the lengths of TCP's header, with options or without, and the
// lengths of packets that are nothing more. IP has no options on the way between
// members; a packet that had some would be taken for one with data.
func bareSegments() []nftables.SetElement {
	var all []nftables.SetElement
	for words := byte(5); words <= 15; words++ {
		all = append(all, nftables.SetElement{Key: []byte{words << 4, 0, 0, 0, 0, 20 + 4*words, 0, 0}})
	}
	return all
}

// chance matches that many packets of a million, at random.
func chance(perMillion uint32) []expr.Any {
	return []expr.Any{
		&expr.Numgen{Register: 1, Modulus: 1_000_000, Type: unix.NFT_NG_RANDOM},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpLt, Register: 1, Data: binaryutil.BigEndian.PutUint32(perMillion)},
	}
}
