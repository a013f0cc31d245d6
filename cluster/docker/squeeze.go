package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/quantity"
)

const (
	// leastMemory is the smallest limit that an engine takes.
	leastMemory = 6 << 20
	// allMemory is as good as no limit: an engine has no way to take one away that all
	// of them know.
	allMemory = 1 << 50
)

// squeezed is a member that has less memory.
type squeezed struct {
	machine      *machine
	limit        quantity.Size
	had          quantity.Size
	faults, hits uint64 // when it was squeezed
}

// Squeeze leaves a member's container a share of the memory that it uses, and no swap.
// The kernel takes from it first what can be read again from the disk.
func (c *Cluster) Squeeze(ctx context.Context, member string, share float64) (cluster.Harm, error) {
	s, err := c.squeeze(ctx, member, share)
	if err != nil {
		return nil, fmt.Errorf("squeeze the memory of member %s: %w", member, err)
	}
	return s, nil
}

func (c *Cluster) squeeze(ctx context.Context, member string, share float64) (*squeezed, error) {
	m, err := c.machineOf(member)
	if err != nil {
		return nil, err
	}
	if !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("%v is no share between 0 and 1", share)
	}
	now, err := m.stats(ctx)
	if err != nil {
		return nil, err
	}
	used := now.MemoryStats.Usage
	if used == 0 {
		return nil, errors.New("the engine does not say how much its container uses")
	}
	s := &squeezed{machine: m, had: quantity.Size(used), limit: quantity.Size(max(float64(used)*share, leastMemory))}
	s.faults, s.hits = pressure(now)
	return s, m.setMemory(ctx, int64(s.limit))
}

// pressure is how often a container had to wait for the disk for what it had in
// memory before, and how often it found its limit reached.
func pressure(s container.StatsResponse) (faults, hits uint64) {
	return s.MemoryStats.Stats["pgmajfault"], s.MemoryStats.Failcnt
}

func (m *machine) setMemory(ctx context.Context, bytes int64) error {
	_, err := m.cluster.engine.ContainerUpdate(ctx, m.server, client.ContainerUpdateOptions{
		Resources: &container.Resources{Memory: bytes, MemorySwap: bytes},
	})
	return err
}

// Evidence is that the kernel killed it, or that it met its limit or had to read again
// what it had in memory.
func (s *squeezed) Evidence(ctx context.Context) (seen bool, evidence string) {
	state, err := s.machine.cluster.engine.ContainerInspect(ctx, s.machine.server, client.ContainerInspectOptions{})
	if err != nil {
		return false, err.Error()
	}
	evidence = fmt.Sprintf("%v of %v left", s.limit, s.had)
	if st := state.Container.State; st != nil && st.OOMKilled {
		return true, evidence + "; killed by the kernel as it needed more"
	}
	now, err := s.machine.stats(ctx)
	if err != nil {
		return false, err.Error()
	}
	faults, hits := pressure(now)
	if faults < s.faults || hits < s.hits { // it was started anew meanwhile
		s.faults, s.hits = 0, 0
	}
	faults, hits = faults-s.faults, hits-s.hits
	return faults+hits > 0, fmt.Sprintf("%s; %d times at its limit, %d times it waited for what had been in memory", evidence, hits, faults)
}

// Undo gives it all memory, and starts it if it has ended.
func (s *squeezed) Undo(ctx context.Context) error {
	c, member := s.machine.cluster, s.machine.place.Name
	if err := s.machine.setMemory(ctx, allMemory); err != nil {
		return fmt.Errorf("give member %s its memory back: %w", member, err)
	}
	if l, err := c.LifeOf(member); err != nil || l.runs() {
		return nil // somebody else has taken it down
	}
	return errors.Join(c.Crash(ctx, member), c.Restart(ctx, member))
}
