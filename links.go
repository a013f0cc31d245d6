package holdfast

import (
	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/faults"
)

// connect gives a client its links. If a fault waits for a message, the lookout
// sees those of the client from the first one on.
func (r *run) connect(party string) ([]string, error) {
	urls, err := r.cluster.Connect(party)
	if err != nil {
		return nil, err
	}
	r.world.Joined(party)
	links := r.linksOf(party)
	if r.awaitsMessages() {
		for _, l := range links {
			l.Tap(func(m link.Message) { r.lookout.See(party, m) })
		}
	}
	if kind := r.scenario.Cluster.Kind; kind == processes || kind == containers || kind == externalKind { // whose servers may be any
		for _, l := range links {
			l.Tap(newRenewals(r.recorder, party).see)
		}
	}
	if r.estate != nil {
		for _, l := range links {
			l.Tap(r.estate.see)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.links == nil {
		r.links = make(map[string][]cluster.Link)
	}
	r.links[party] = links
	return urls, nil
}

func (r *run) disconnect(party string) {
	r.cluster.Disconnect(party)
	r.world.Left(party)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.links, party)
}

// awaitsMessages is true if a fault waits for what only links see.
func (r *run) awaitsMessages() bool {
	for _, f := range r.scenario.Faults {
		if f.When == nil {
			continue
		}
		for _, text := range []string{f.When.Event, f.When.After, f.Until} {
			if event, err := faults.ParseEvent(text); err == nil && event.OnLinks() {
				return true
			}
		}
	}
	return false
}

// linksOf are the links on which a client reaches the members; none if the
// cluster has none.
func (r *run) linksOf(party string) []cluster.Link {
	linked, ok := r.cluster.(cluster.Linked)
	if !ok {
		return nil
	}
	var links []cluster.Link
	for _, m := range r.cluster.Members() {
		if l := linked.Link(party, m); l != nil {
			links = append(links, l)
		}
	}
	return links
}

// requests counts the requests of clients, or is nil if the cluster has no links.
func (r *run) requests() func(party string) func() int64 {
	if _, ok := r.cluster.(cluster.Linked); !ok {
		return nil
	}
	return func(party string) func() int64 {
		r.mu.Lock()
		links := r.links[party]
		r.mu.Unlock()
		return func() int64 {
			total := int64(0)
			for _, l := range links {
				total += l.Requests()
			}
			return total
		}
	}
}
