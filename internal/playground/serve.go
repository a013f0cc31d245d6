package playground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/embedded"
	"github.com/etcd-holdfast/holdfast/cluster/link"
)

// Party is the name under which all that is outside dials the cluster.
const Party = "outside"

// startTimeout bounds how long members may take to serve.
const startTimeout = time.Minute

// ready is the last line of progress; what follows it is not read.
const ready = "ready"

// Config describes a cluster to serve.
type Config struct {
	// Members is 1, 3 or 5; 0 means 3.
	Members int
	// Data is the directory below which the members' data go, in a directory
	// named after the cluster. "" means the cluster's place.
	Data string
	// TLS makes members speak TLS to clients, and demand a certificate of them. Auth
	// makes them demand a user and a password.
	TLS, Auth bool
}

// data is where the members' data go: a directory that is the cluster's own.
func (c Config) data(p Place) string {
	if c.Data == "" {
		return p.data()
	}
	return filepath.Join(c.Data, "holdfast-"+p.Name)
}

// server is the process of a cluster at work.
type server struct {
	place Place
	state State
	end   context.CancelFunc

	mu      sync.Mutex
	cluster *embedded.Cluster // nil until it serves
	// isolated are the members that are cut off, with what heals them.
	isolated map[string][]func()
}

// Serve runs a cluster until ctx ends or an order to go down comes, and leaves
// nothing of it behind. The caller holds the lock of the place until the
// process ends. What is being done goes to progress, a line each.
func Serve(ctx context.Context, p Place, c Config, progress io.Writer) (err error) {
	defer func() {
		if err != nil { // the log stays, for whoever wants to know
			err = errors.Join(err, os.RemoveAll(p.control()))
			return
		}
		err = p.clean()
	}()
	ctx, end := context.WithCancel(ctx)
	defer end()
	s := &server{place: p, end: end, isolated: make(map[string][]func()), state: State{
		Name: p.Name, PID: os.Getpid(), Started: time.Now(),
	}}
	data, err := filepath.Abs(c.data(p))
	if err != nil {
		return err
	}
	if _, err := os.Stat(data); err == nil {
		return fmt.Errorf("%s is there already: whose is it? remove it, or name another with --dir", data)
	}
	s.state.Data = data // from here on it is ours
	if err := p.writeState(s.state); err != nil {
		return err
	}
	orders, err := net.Listen("unix", p.control())
	if err != nil {
		return fmt.Errorf("take orders: %w", err)
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer end()
	defer func() { err = errors.Join(err, s.close()) }()
	defer func() { _ = orders.Close() }()
	defer context.AfterFunc(ctx, func() { _ = orders.Close() })()
	work.Go(func() { s.listen(ctx, orders, &work) })

	if err := s.start(ctx, c, progress); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(progress, ready); err != nil {
		return fmt.Errorf("nobody waits for the cluster: %w", err)
	}
	<-ctx.Done()
	return nil
}

// start starts the members and opens the ports at which they are reached.
func (s *server) start(ctx context.Context, c Config, progress io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	members := c.Members
	if members == 0 {
		members = 3
	}
	_, _ = fmt.Fprintf(progress, "starting %d etcd members in %s\n", members, s.state.Data)
	config := embedded.Config{Members: c.Members, Directory: s.state.Data, LogDirectory: s.place.Directory}
	keys, err := s.place.makeKeys(c)
	if err != nil {
		return fmt.Errorf("make certificates and passwords: %w", err)
	}
	if c.TLS {
		config.ClientTLS = keys.members()
	}
	cluster, err := embedded.Start(ctx, config)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster = cluster
	s.state.Members, s.state.Etcd = cluster.Members(), cluster.Version()
	endpoints, err := cluster.Connect(Party)
	if err != nil {
		return err
	}
	if c.Auth {
		if err := keys.demand(ctx, endpoints); err != nil {
			return fmt.Errorf("demand users and passwords: %w", err)
		}
	}
	s.state.Endpoints, s.state.Keys = endpoints, keys
	return s.place.writeState(s.state)
}

func (s *server) close() error {
	s.mu.Lock()
	cluster := s.cluster
	s.mu.Unlock()
	if cluster == nil {
		return nil
	}
	return cluster.Close()
}

// listen serves one connection after another, each in a goroutine.
func (s *server) listen(ctx context.Context, orders net.Listener, work *sync.WaitGroup) {
	for {
		conn, err := orders.Accept()
		if err != nil {
			return
		}
		work.Go(func() { s.serve(ctx, conn) })
	}
}

func (s *server) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	var order Order
	if err := json.NewDecoder(io.LimitReader(conn, 1<<16)).Decode(&order); err != nil {
		return
	}
	err := s.obey(ctx, order)
	answer := s.answer()
	if err != nil {
		answer.Error = err.Error()
	}
	_ = json.NewEncoder(conn).Encode(answer) // whoever asked may be gone
	if order.Do == DoDown {
		s.end()
	}
}

// obey carries out an order.
func (s *server) obey(ctx context.Context, order Order) error {
	if order.Do == DoStatus || order.Do == DoDown {
		return nil
	}
	s.mu.Lock()
	cluster := s.cluster
	s.mu.Unlock()
	if cluster == nil {
		return errors.New("the members are still being started")
	}
	if order.Do == DoHeal {
		s.heal()
		return nil
	}
	if !slices.Contains(cluster.Members(), order.Member) {
		return fmt.Errorf("there is no member %q, only %q", order.Member, cluster.Members())
	}
	switch order.Do {
	case DoCrash:
		return cluster.Crash(ctx, order.Member)
	case DoRestart:
		return cluster.Restart(ctx, order.Member)
	case DoIsolate:
		s.isolate(cluster, order.Member)
		return nil
	default:
		return fmt.Errorf("it does not know the order %q", order.Do)
	}
}

func (s *server) isolate(cluster *embedded.Cluster, member string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isolated[member] != nil {
		return
	}
	lifts := []func(){}
	for _, other := range cluster.Members() {
		for _, pair := range [][2]string{{member, other}, {other, member}} {
			if l := cluster.Link(pair[0], pair[1]); l != nil {
				lifts = append(lifts, l.Impose(link.Condition{Cut: true}))
			}
		}
	}
	s.isolated[member] = lifts
}

func (s *server) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lifts := range s.isolated {
		for _, lift := range lifts {
			lift()
		}
	}
	clear(s.isolated)
}

// answer says how things are now.
func (s *server) answer() Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := Answer{State: s.state}
	if s.cluster == nil {
		return a
	}
	a.Serving = len(s.state.Endpoints) > 0
	for i, status := range s.cluster.Status() {
		m := Member{
			Name: status.Member, Running: status.Running, Leads: status.Leads,
			Leader: status.Leader, Term: status.Term, Isolated: s.isolated[status.Member] != nil,
		}
		if a.Serving {
			m.Endpoint = s.state.Endpoints[i]
		}
		a.Members = append(a.Members, m)
	}
	return a
}
