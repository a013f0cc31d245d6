package netguard

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

type address = netip.Addr

// table is what a guard has in nftables.
type table struct {
	table    *nftables.Table
	in, out  *nftables.Chain
	bare     *nftables.Set
	counters map[string]bool
	port     uint16
}

// newTable makes a table that does nothing yet.
func newTable() (*table, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	t := &table{
		table:    &nftables.Table{Name: "holdfast-" + hex.EncodeToString(id[:]), Family: nftables.TableFamilyIPv4},
		counters: make(map[string]bool),
	}
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	c.AddTable(t.table)
	t.in = c.AddChain(&nftables.Chain{
		Name: "in", Table: t.table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	t.out = c.AddChain(&nftables.Chain{
		Name: "out", Table: t.table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityFilter,
	})
	t.bare = &nftables.Set{
		Table: t.table, Name: "bare", Constant: true, Concatenation: true,
		KeyType: nftables.MustConcatSetType(nftables.TypeInteger, nftables.TypeInteger),
	}
	if err := c.AddSet(t.bare, bareSegments()); err != nil {
		return nil, err
	}
	switch err := c.Flush(); {
	case errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("it needs CAP_NET_ADMIN: %w", err)
	case err != nil:
		return nil, fmt.Errorf("make a table in nftables (CONFIG_NF_TABLES_INET and CONFIG_NFT_REJECT are needed): %w", err)
	}
	return t, nil
}

func (t *table) name() string { return t.table.Name }

// set replaces all rules at once, and takes other tables away.
func (t *table) set(o orders, replaces []string) error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	b := &batch{table: t, conn: c, made: make(map[string]bool)}
	c.FlushChain(t.in)
	c.FlushChain(t.out)
	for _, who := range o.Cuts {
		b.cut(who, o.Port)
	}
	for _, who := range o.Questions {
		b.hold(counter(questions, who), to(who), targetPort(o.Port))
	}
	for _, who := range o.Answers {
		b.hold(counter(answers, who), to(who), sourcePort(o.Port))
	}
	for _, l := range o.Losses {
		b.lose(l)
	}
	for _, name := range replaces {
		there, err := c.ListTablesOfFamily(t.table.Family)
		if err != nil {
			return err
		}
		for _, other := range there {
			if other.Name == name {
				c.DelTable(other)
			}
		}
	}
	if err := c.Flush(); err != nil {
		return err
	}
	for name := range b.made {
		t.counters[name] = true
	}
	t.port = o.Port
	return nil
}

// counts returns the packets of all counters.
func (t *table) counts() (map[string]int64, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, err
	}
	objects, err := c.GetNamedObjects(t.table)
	if err != nil {
		return nil, fmt.Errorf("read the counters: %w", err)
	}
	packets := make(map[string]int64)
	for _, o := range objects {
		if o, ok := o.(*nftables.NamedObj); ok {
			if n, ok := o.Obj.(*expr.Counter); ok {
				packets[o.Name] = int64(n.Packets)
			}
		}
	}
	return packets, nil
}

// remove takes the table away, and all its rules.
func (t *table) remove() error {
	c, err := nftables.New()
	if err != nil {
		return err
	}
	c.DelTable(t.table)
	if err := c.Flush(); err != nil && !errors.Is(err, unix.ENOENT) { // another guard has replaced it
		return fmt.Errorf("remove the rules: %w", err)
	}
	return nil
}
