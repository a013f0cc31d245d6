package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// bindAttempts is how often a binary is started that finds its ports taken.
const bindAttempts = 5

// beginForeign starts a member that runs an etcd binary.
func (c *Cluster) beginForeign(ctx context.Context, p *members.Place, binary string) (*life, error) {
	for attempt := 1; ; attempt++ {
		l, err := c.tryForeign(ctx, p, binary)
		if err == nil || !errors.Is(err, errTaken) || attempt == bindAttempts {
			return l, err
		}
	}
}

// errTaken is why a member did not start whose ports somebody else had taken since
// they were found free.
var errTaken = errors.New("its ports are taken")

func (c *Cluster) tryForeign(ctx context.Context, p *members.Place, binary string) (*life, error) {
	peers, clients := members.FreeAddress(), members.FreeAddress()
	log, err := members.NewTail(p.Log)
	if err != nil {
		return nil, err
	}
	process, gate, err := c.startProcess(offspring.Command{
		Name: binary, Argv: append([]string{binary}, flags(c.Spec(p), peers, clients, suitesOf(c.Members(), p.Name))...),
		Stdout: p.Log, Stderr: p.Log,
	})
	if err != nil {
		return nil, err
	}
	l, err := c.newLife(p.Name, process, gate, peers, clients, log.Why)
	if err != nil {
		return nil, err
	}
	if err := awaitPort(ctx, l, clients, peers); err != nil {
		return nil, errors.Join(err, l.End())
	}
	return l, nil
}

// awaitPort waits until a process listens for its peers, which etcd does before all
// that can take long. A member that ended because its ports were taken returns
// errTaken.
func awaitPort(ctx context.Context, l *life, clients, peers string) error {
	ctx, cancel := context.WithTimeout(ctx, bindPatience)
	defer cancel()
	ticker := time.NewTicker(askPause)
	defer ticker.Stop()
	for {
		if accepts(ctx, peers) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-l.process.Done():
			err := l.Ended()
			if strings.Contains(l.why(), "address already in use") { // it has no other way to say so
				return errors.Join(errTaken, err)
			}
			return err
		case <-ctx.Done():
			return fmt.Errorf("it does not listen at %s for its peers and at %s for clients: %w", peers, clients, context.Cause(ctx))
		}
	}
}

// flags are those with which an etcd of any version is started as a member.
func flags(spec members.Spec, peers, clients string, suites []uint16) []string {
	return append(spec.Flags("https", peers, clients),
		"--peer-cert-file", spec.CertFile, "--peer-key-file", spec.KeyFile, "--peer-trusted-ca-file", spec.CertFile,
		"--cipher-suites", strings.Join(suiteNames(suites), ","))
}
