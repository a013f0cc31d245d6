package holdfast

import (
	"context"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Claim is what a run that was killed left in a cluster that is not its own.
type Claim struct {
	Prefix string
	// Run says which run it was, where and since when.
	Run  string
	Keys int64
}

// SweepPrefix removes what a run that was killed left in a cluster that somebody
// else runs: the keys below the prefix of spec, and their leases. What no run has
// taken it refuses to touch, and what one has whose process lives on this machine.
// Without remove it only looks.
func SweepPrefix(ctx context.Context, spec ClusterSpec, remove bool) (_ *Claim, err error) {
	spec.Kind = externalKind
	if mistakes := externalMistakes(spec); len(mistakes) > 0 {
		return nil, &ScenarioError{Source: "cluster", Mistakes: mistakes}
	}
	login, err := spec.login()
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	c, err := startExternal(within, &launch{spec: spec, login: login})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	e, err := newEstate(ctx, c, spec.Prefix, login)
	if err != nil {
		return nil, err
	}
	defer e.close()
	all, err := e.client.Get(within, spec.Prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return nil, fmt.Errorf("look below %q: %w", spec.Prefix, err)
	}
	if all.Count == 0 {
		return nil, nil
	}
	mark, err := e.client.Get(within, spec.Prefix+claimKey)
	if err != nil {
		return nil, fmt.Errorf("look whose %q is: %w", spec.Prefix, err)
	}
	run, lives, ok := "", false, false
	if len(mark.Kvs) > 0 {
		run, lives, ok = parseClaim(string(mark.Kvs[0].Value))
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("below %q: %s, and no sign of a run (%s): what is there is somebody else's, and stays", spec.Prefix, counted(int(all.Count), "key"), spec.Prefix+claimKey)
	case lives:
		return nil, fmt.Errorf("below %q: %s, of the run %s, which goes on on this machine and removes them at its end; interrupt it, or wait", spec.Prefix, counted(int(all.Count), "key"), run)
	}
	claim := &Claim{Prefix: spec.Prefix, Run: run, Keys: all.Count}
	if !remove {
		return claim, nil
	}
	e.mine = mark.Kvs[0]
	claim.Keys, err = e.clear(within)
	return claim, err
}
