package model

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
)

var seedFlag = flag.Uint64("model.seed", 0, "seed of the random sequences; 0 takes a new one")

// seedOf returns the seed of a test, and says how to repeat it.
func seedOf(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("to repeat: go test ./cluster/sim/model -run '^%s$' -model.seed=%d", t.Name(), seed)
	return seed
}

const (
	lookEvery    = 500 * time.Millisecond // for leases that are due
	catchUpEvery = 100 * time.Millisecond
)

// duel is a model beside a server that runs in virtual time: the same requests
// at the same moments.
type duel struct {
	*generator
	server *server
	model  *modelled
	epoch  time.Time
	seen   census
}

// newDuel must be called in a bubble. The directory is the server's.
func newDuel(t *testing.T, directory string) *duel {
	d := &duel{epoch: time.Now(), seen: census{}}
	d.server = startInside(t, directory)
	d.model = newModelled(d.server.identity)
	d.generator = newGenerator(1, d.model.store)
	return d
}

func (d *duel) now() time.Duration { return time.Since(d.epoch) }

// begin opens the watch that is told everything.
func (d *duel) begin() error {
	return d.watch(0, createRequest(&pb.WatchCreateRequest{Key: []byte{0}, RangeEnd: []byte{0}, PrevKv: true}))
}

// play does a number of random steps, and returns the first difference.
func (d *duel) play(steps int) error {
	if err := d.begin(); err != nil {
		return err
	}
	for i := range steps {
		if err := d.step(); err != nil {
			return fmt.Errorf("step %d, at %v: %w", i, d.now(), err)
		}
	}
	return nil
}

func (d *duel) step() error {
	if d.one(4) {
		pause := pick(d.generator, time.Millisecond, 3*time.Millisecond, 30*time.Millisecond, 200*time.Millisecond)
		switch d.IntN(40) {
		case 0:
			pause = time.Duration(d.IntN(5000)) * time.Millisecond
		case 1: // to the very moment
			pause = lookEvery - d.now()%lookEvery
		}
		if err := d.pass(pause); err != nil {
			return err
		}
	}
	if d.one(12) {
		stream := 1 + d.IntN(streams-1)
		return d.watch(stream, d.generator.watch(d.model.streams[stream]))
	}
	return d.ask(d.request())
}

func (d *duel) ask(request proto.Message) error {
	now := d.now()
	if r, is := request.(*pb.LeaseKeepAliveRequest); is && d.model.store.Lapsed(now, r.ID) {
		return d.askLate(now, r)
	}
	var real, model outcome
	real.response, real.err = d.server.ask(proto.Clone(request))
	d.learn(real.response)
	model.response, model.err = d.model.ask(now, request)
	if err := sameOutcome(request, real, model); err != nil {
		return err
	}
	d.seen.outcome(request, real)
	return d.listen(func(s *Stream, at int64) []*pb.WatchResponse { return s.Notify(at) }, false)
}

// learn gives the model the ID that the server gave to a lease.
func (d *duel) learn(response proto.Message) {
	d.model.granted = -1
	if granted, is := response.(*pb.LeaseGrantResponse); is {
		d.model.granted = granted.ID
	}
}

// askLate renews a lease whose time is over: the answer comes when it is
// revoked.
func (d *duel) askLate(now time.Duration, request *pb.LeaseKeepAliveRequest) error {
	var real, model outcome
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		real.response, real.err = d.server.ask(proto.CloneOf(request))
	}()
	synctest.Wait()
	model.response, model.err = d.model.ask(now, request)
	select {
	case <-answered:
		return fmt.Errorf("asked: %s\nserver: %s before the lease was revoked", text(request), real)
	default:
	}
	if err := d.pass(lookEvery - now%lookEvery); err != nil {
		return err
	}
	<-answered
	d.seen["late renewal"]++
	return sameOutcome(request, real, model)
}

// watch makes a request to a watch stream.
func (d *duel) watch(stream int, request *pb.WatchRequest) error {
	if err := d.server.streams[stream].stream.Send(proto.CloneOf(request)); err != nil {
		return err
	}
	err := d.listen(func(s *Stream, at int64) []*pb.WatchResponse {
		if s == d.model.streams[stream] {
			return s.Request(request, at)
		}
		return s.Notify(at)
	}, false)
	if err != nil {
		return fmt.Errorf("stream %d, asked: %s\n%w", stream, text(request), err)
	}
	return nil
}

// listen compares what the streams tell, once the server has nothing to do.
func (d *duel) listen(told func(*Stream, int64) []*pb.WatchResponse, loosely bool) error {
	synctest.Wait()
	for i, stream := range d.model.streams {
		real := d.server.streams[i].take()
		d.seen.told(real)
		model := d.model.told(told(stream, d.store.Revision()))
		if loosely {
			real, model = flatten(real), flatten(model)
		}
		if err := sameTold(real, model); err != nil {
			return fmt.Errorf("stream %d:\n%w", i, err)
		}
	}
	return nil
}

// pass lets time go by. A server looks for leases that are due, and for
// watches that are behind, at fixed intervals since it was started.
func (d *duel) pass(pause time.Duration) error {
	end := d.now() + pause
	for d.now() < end {
		next := min(end, d.now()-d.now()%catchUpEvery+catchUpEvery)
		time.Sleep(next - d.now())
		synctest.Wait()
		if next%catchUpEvery != 0 {
			continue
		}
		loosely := false
		if next%lookEvery == 0 {
			due := d.expire()
			// Whether it looked for watches or for leases first is open.
			loosely = due && slices.ContainsFunc(d.model.streams, (*Stream).Behind)
		}
		if err := d.listen((*Stream).Advance, loosely); err != nil {
			return err
		}
	}
	return nil
}

// expire revokes the leases that are due: in the order in which the server
// did, as it has none.
func (d *duel) expire() bool {
	due := d.store.Due(d.now())
	if len(due) > 1 {
		deleted := map[string]int64{}
		d.server.streams[0].mu.Lock()
		for _, r := range d.server.streams[0].told {
			for _, e := range r.Events {
				if e.Type == mvccpb.Event_DELETE {
					deleted[string(e.Kv.Key)] = e.Kv.ModRevision
				}
			}
		}
		d.server.streams[0].mu.Unlock()
		when := func(id int64) int64 {
			for _, record := range d.store.lease(id).keys {
				return deleted[string(record.key)]
			}
			return 0
		}
		slices.SortStableFunc(due, func(a, b int64) int { return cmp.Compare(when(a), when(b)) })
	}
	for _, id := range due {
		if _, err := d.store.Revoke(&pb.LeaseRevokeRequest{ID: id}); err != nil {
			panic(err)
		}
	}
	d.seen["expiry"] += len(due)
	if len(due) > 1 {
		d.seen["expiry of several at once"]++
	}
	return len(due) > 0
}

// TestAgainstEtcd asks a real server and the model the same, at random, in
// virtual time, and compares every field of every answer.
func TestAgainstEtcd(t *testing.T) {
	sequences, steps := 4, 30_000
	if testing.Short() {
		sequences, steps = 2, 3_000
	}
	seed := seedOf(t)
	all := make([]census, sequences)
	t.Run("sequences", func(t *testing.T) {
		for i := range sequences {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				all[i] = inBubble(t, func(d *duel) {
					d.generator = newGenerator(seed+uint64(i), d.store)
					if err := d.play(steps); err != nil {
						t.Fatal(err)
					}
				})
			})
		}
	})
	if t.Failed() {
		return
	}
	total := census{}
	for _, c := range all {
		total.add(c)
	}
	t.Logf("%d steps; what happened, and how often:\n%v", sequences*steps, total)
	if testing.Short() {
		return
	}
	for _, what := range total.missing() {
		t.Errorf("never happened: %s", what)
	}
}

// TestRestart stops the server now and then and starts it again on what it has
// written: it makes itself the leader anew.
func TestRestart(t *testing.T) {
	lives, steps := 5, 2_000
	if testing.Short() {
		lives, steps = 3, 300
	}
	seed := seedOf(t)
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d := newDuel(t, directory)
		d.generator = newGenerator(seed, d.store)
		for life := range lives {
			if life > 0 {
				d.restart(t, directory)
			}
			if err := d.play(steps); err != nil {
				t.Fatalf("life %d: %v", life, err)
			}
		}
	})
}

// restart gives the server another life, the moments of which at which it looks
// for things are those of the one before.
func (d *duel) restart(t *testing.T, directory string) {
	d.server.stop()
	time.Sleep(lookEvery - d.now()%lookEvery)
	d.server = startInside(t, directory)
	d.store.SetTerm(d.server.identity.Term)
	d.store.Promote(d.now())
	d.model.open()
}

// inBubble starts a server in virtual time and a model beside it.
func inBubble(t *testing.T, fight func(*duel)) census {
	directory := t.TempDir()
	var seen census
	synctest.Test(t, func(t *testing.T) {
		d := newDuel(t, directory)
		fight(d)
		seen = d.seen
	})
	return seen
}

// TestCatchUpInBatches has a watch catch up with more than one response can
// tell.
func TestCatchUpInBatches(t *testing.T) {
	inBubble(t, func(d *duel) {
		for i := range 2*catchUpRevisions + 10 {
			request := &pb.PutRequest{Key: []byte(pick(d.generator, "a", "b")), Value: fmt.Append(nil, i)}
			if err := d.ask(request); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.watch(1, createRequest(&pb.WatchCreateRequest{Key: []byte("a"), RangeEnd: []byte{0}, StartRevision: 3})); err != nil {
			t.Fatal(err)
		}
		// The server takes one look for each response. The model does not wait.
		model := d.model.streams[1].Advance(d.store.Revision())
		time.Sleep(3 * catchUpEvery)
		synctest.Wait()
		if err := sameTold(d.server.streams[1].take(), model); err != nil {
			t.Fatal(err)
		}
		if len(model) != 3 {
			t.Fatalf("%d responses, want 3", len(model))
		}
	})
}
