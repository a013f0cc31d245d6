package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/history"
)

// stage is a real cluster of one member with clients c1 and c2 of the subject
// mutex, whose messages the lookout sees.
type stage struct {
	*embedded.Cluster
	admin     *clientv3.Client
	clients   map[string]*clientv3.Client
	conductor *Conductor
	file      bytes.Buffer
	cancel    context.CancelFunc
	ended     chan error
}

func newStage(t *testing.T) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c, err := embedded.Start(ctx, embedded.Config{Members: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := &stage{Cluster: c, admin: dial(t, c, "admin"), clients: make(map[string]*clientv3.Client), ended: make(chan error, 1)}
	t.Cleanup(func() { _ = s.admin.Close() })
	clock := history.NewClock()
	s.conductor = &Conductor{
		World:   &World{Cluster: c, Clients: s, Admin: s.admin, Prefix: "run/"},
		Lookout: NewLookout(clock, "run/"), Journal: history.NewFaultJournal(&s.file), Clock: clock,
	}
	t.Cleanup(s.conductor.Lookout.Close)
	return s
}

// join connects a client as a run does.
func (s *stage) join(t *testing.T, client string) *clientv3.Client {
	t.Helper()
	if _, err := s.Connect(client); err != nil {
		t.Fatal(err)
	}
	s.conductor.World.Joined(client)
	s.Link(client, "m1").Tap(func(m link.Message) { s.conductor.Lookout.See(client, m) })
	s.clients[client] = dial(t, s.Cluster, client)
	t.Cleanup(func() { _ = s.clients[client].Close() })
	return s.clients[client]
}

func (s *stage) Slots(string) []string { return []string{"c1", "c2"} }
func (s *stage) Current(slot string) (string, int64) {
	if s.clients[slot] == nil {
		return "", 0
	}
	return slot, 0
}
func (s *stage) Crash(string) bool { return false }

// begin carries out a plan of one fault; end returns what became of it.
func (s *stage) begin(t *testing.T, p Planned) {
	t.Helper()
	p.ID, p.Subject = 1, "mutex"
	p.When.Subject = Names{"mutex"}
	if err := s.conductor.Arm([]Planned{p}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.cancel = cancel
	t.Cleanup(cancel)
	go func() { s.ended <- s.conductor.Run(ctx, []Planned{p}) }()
}

func (s *stage) end(t *testing.T) history.Fault {
	t.Helper()
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
	records, err := history.ReadFaults(&s.file)
	if err != nil || len(records) != 1 {
		t.Fatalf("%v, %v", records, err)
	}
	return records[0]
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Exactly the answer of the second client's second transaction is lost: it was
// applied, and the client is told of an error; all others are answered.
func TestOneAnswerIsLost(t *testing.T) {
	s := newStage(t)
	first, second := s.join(t, "c1"), s.join(t, "c2")
	s.begin(t, Planned{Kind: "reset-client", When: &Trigger{Client: "B", Event: "answer Txn", Nth: 2}})
	put := func(c *clientv3.Client, key string) error {
		_, err := c.Txn(soon(t)).Then(clientv3.OpPut(key, "x")).Commit()
		return err
	}
	for _, step := range []struct {
		client *clientv3.Client
		key    string
		lost   bool
	}{{first, "1", false}, {second, "2", false}, {first, "3", false}, {second, "4", true}, {first, "5", false}, {second, "6", false}} {
		if err := put(step.client, step.key); (err != nil) != step.lost {
			t.Errorf("%s: %v", step.key, err)
		}
		reply, err := s.admin.Get(soon(t), step.key)
		if err != nil || len(reply.Kvs) != 1 {
			t.Errorf("%s was not applied: %v, %v", step.key, reply, err)
		}
	}
	f := s.end(t)
	if f.Target != "c2" || !f.Verified || f.Unfired || f.When != "client B of mutex: answer Txn, 2nd" || f.Entry != 1 {
		t.Errorf("%+v", f)
	}
}

// Exactly one request is lost: it was not applied.
func TestOneRequestIsLost(t *testing.T) {
	s := newStage(t)
	client := s.join(t, "c1")
	s.begin(t, Planned{Kind: "reset-client", When: &Trigger{Event: "request Txn"}})
	if _, err := client.Txn(soon(t)).Then(clientv3.OpPut("1", "x")).Commit(); err == nil {
		t.Error("it was answered")
	}
	if f := s.end(t); !f.Verified {
		t.Errorf("%+v", f)
	}
	if _, err := client.Txn(soon(t)).Then(clientv3.OpPut("2", "x")).Commit(); err != nil {
		t.Error(err)
	}
	if reply, err := s.admin.Get(soon(t), "1"); err != nil || len(reply.Kvs) != 0 {
		t.Errorf("%v, %v", reply, err)
	}
}

// The request for a watch is held until the store has been compacted past the
// newest revision that its client has seen, even the one behind it.
func TestAWatchFindsItsRevisionCompacted(t *testing.T) {
	s := newStage(t)
	client := s.join(t, "c1")
	s.begin(t, Planned{Kind: "compact", When: &Trigger{Event: "request Watch"}})
	reply, err := client.Put(soon(t), "k", "x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	answer, ok := <-client.Watch(ctx, "k", clientv3.WithRev(reply.Header.Revision+1))
	if !ok || answer.CompactRevision <= reply.Header.Revision+1 {
		t.Errorf("%+v, %t: the watch was not refused", answer, ok)
	}
	if f := s.end(t); !f.Verified || f.Kind != "compact" {
		t.Errorf("%+v", f)
	}
}

// A fault ends with the event that heals it, long before its time.
func TestASignalHeals(t *testing.T) {
	s := newStage(t)
	client := s.join(t, "c1")
	s.begin(t, Planned{Kind: "lose-answer", For: time.Hour, Until: "signal heal", When: &Trigger{Event: "answer Put"}})
	put := make(chan error, 1)
	go func() {
		_, err := client.Put(soon(t), "k", "x")
		put <- err
	}()
	waitFor(t, soon(t), func() bool { return s.Link("c1", "m1").Stats().Held.ToDialler > 0 })
	select {
	case err := <-put:
		t.Errorf("it was answered: %v", err)
	default:
	}
	s.conductor.Lookout.Hear(history.Record{Event: &history.Event{Kind: history.Signalled, Subject: "mutex", Client: "c2", Detail: "heal"}})
	if err := <-put; err != nil {
		t.Error(err)
	}
	if f := s.end(t); !f.Verified || !strings.HasSuffix(f.Evidence, "; healed by signal heal") {
		t.Errorf("%+v", f)
	}
}

// A fault whose moment never came says so, and why that may be.
func TestAFaultThatNeverHadItsMoment(t *testing.T) {
	s := newStage(t)
	urls, err := s.Connect("c1")
	if err != nil {
		t.Fatal(err)
	}
	s.join(t, "c2")
	s.clients["c1"] = s.clients["c2"]
	conn, err := net.Dial("tcp", strings.TrimPrefix(urls[0], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, soon(t), func() bool { return s.Link("c1", "m1").Stats().Blind == 1 })
	s.begin(t, Planned{Kind: "cut-client", When: &Trigger{Client: "A", Event: "answer Txn"}})
	s.cancel()
	f := s.end(t)
	if !f.Unfired || f.Verified || f.When != "client A of mutex: answer Txn, 1st" || !strings.Contains(f.Evidence, "did not come") || !strings.Contains(f.Evidence, "1 connections") {
		t.Errorf("%+v", f)
	}
}

// What happened to nobody that is known hits nobody else.
func TestNobodyElseIsHit(t *testing.T) {
	s := newStage(t)
	s.join(t, "c1")
	s.begin(t, Planned{Kind: "cut-client", When: &Trigger{Event: "created"}})
	s.conductor.Lookout.Changed(history.Change{Key: "run/mutex/0/x", Version: 1, Lease: 99}, 0)
	if f := s.end(t); f.Unfired || f.Verified || !strings.Contains(f.Evidence, "it is not known to which client") {
		t.Errorf("%+v", f)
	}
}

// The repetitions of an entry wait for their moment anew.
func TestRepetitionsCountAnew(t *testing.T) {
	s := newStage(t)
	client := s.join(t, "c1")
	when := &Trigger{Subject: Names{"mutex"}, Event: "request Put", Nth: 2, After: "request Range"}
	var plan []Planned
	for id := range int64(3) {
		plan = append(plan, Planned{ID: id + 1, Kind: "compact", When: when, Subject: "mutex"})
	}
	if err := s.conductor.Arm(plan); err != nil {
		t.Fatal(err)
	}
	reports := make(chan history.Fault, 10)
	s.conductor.Report = func(f history.Fault) { reports <- f }
	ctx, cancel := context.WithCancel(t.Context())
	go func() { s.ended <- s.conductor.Run(ctx, plan) }()
	put := func() int64 {
		reply, err := client.Put(soon(t), "k", "x")
		if err != nil {
			t.Fatal(err)
		}
		return reply.Header.Revision
	}
	before := put()
	for range 2 {
		// It may take until the entry's fault before is done with that its next one
		// begins to count.
		waitFor(t, soon(t), func() bool {
			if _, err := client.Get(soon(t), "k"); err != nil {
				t.Fatal(err)
			}
			put()
			put()
			select {
			case <-reports: // injected
				<-reports // healed
				return true
			default:
				return false
			}
		})
	}
	cancel()
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
	records, err := history.ReadFaults(&s.file)
	if err != nil || len(records) != 3 {
		t.Fatalf("%v, %v", records, err)
	}
	if !records[0].Verified || !records[1].Verified || !records[2].Unfired || records[0].Target <= fmt.Sprintf("revision %d", before) {
		t.Errorf("%+v", records)
	}
}

// A member that is stalled is so for a client that comes later, too, and for
// nobody once it is healed.
func TestAStalledMemberIsSoForWhoeverComes(t *testing.T) {
	s := newStage(t)
	kind, _ := Named("stall-member")
	e, err := kind.inject(t.Context(), s.conductor.World, streamsOf(1)("x"), "")
	if err != nil {
		t.Fatal(err)
	}
	if ok, evidence := e.prove(t.Context()); ok {
		t.Errorf("proved before there was anybody: %s", evidence)
	}
	client := s.join(t, "c1")
	put := make(chan error, 1)
	go func() {
		_, err := client.Put(soon(t), "k", "x")
		put <- err
	}()
	waitFor(t, soon(t), func() bool { return s.Link("c1", "m1").Stats().Held.Total() > 0 })
	if _, err := s.admin.Put(soon(t), "k", "y"); err != nil {
		t.Errorf("the harness: %v", err)
	}
	if ok, evidence := e.prove(t.Context()); !ok || !strings.Contains(evidence, "0 bytes of peers") {
		t.Error(evidence)
	}
	if err := e.heal(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-put; err != nil {
		t.Error(err)
	}
	later := s.join(t, "c2")
	if _, err := later.Put(soon(t), "k", "x"); err != nil {
		t.Error(err)
	}
}

func TestPlansThatCannotBeWaitedForAreRefused(t *testing.T) {
	s := newStage(t)
	for want, p := range map[string]Planned{
		"is none of":      {When: &Trigger{Event: "sleeping"}},
		"is a state":      {When: &Trigger{Event: "ok acquire", After: "holding"}},
		"there is no":     {When: &Trigger{Event: "ok acquire"}, Until: "ok aquire"},
		"no client \"C\"": {When: &Trigger{Event: "ok acquire", Client: "C"}},
	} {
		p.Subject, p.Kind = "mutex", "cut-client"
		if err := s.conductor.Arm([]Planned{p}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
