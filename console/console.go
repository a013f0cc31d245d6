package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/etcd-holdfast/holdfast/cluster/link"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// Config describes a console.
type Config struct {
	// Primitive is one of Primitives.
	Primitive string
	// Object is the name of the lock, election, … ; "" means DefaultObject.
	Object string
	// As is the name of this console; "" means the first of c1, c2, … that no
	// other console of the prefix has.
	As string
	// Endpoints are the client URLs of etcd, http only.
	Endpoints []string
	// TTL is that of the session's lease: whole seconds; 0 means DefaultTTL.
	TTL time.Duration
	// Prefix is before every key; "" means DefaultPrefix.
	Prefix string
	// Out is where everything is printed, Coloured how.
	Out      io.Writer
	Coloured bool
}

// What a Config leaves empty.
const (
	DefaultObject = "lab"
	DefaultTTL    = 5 * time.Second
	DefaultPrefix = "holdfast/shell/"
)

const (
	// requestTimeout bounds what should not have to wait.
	requestTimeout = 5 * time.Second
	// lookTimeout bounds the reads of the console's own.
	lookTimeout = 2 * time.Second
	// patience is how long the prompt stays away for a command that neither
	// ends nor waits; it goes on.
	patience = 2 * time.Second
)

// reconnect is gRPC's own but for its longest delay, two minutes: a console
// that was cut off for a minute would stay away for another after the heal.
var reconnect = backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}

// Console is one client of one object. Create it with Open.
type Console struct {
	config    Config
	kind      kind
	object    string // the prefix of the object's keys, without a slash at its end
	out       *printer
	primitive primitive
	commands  []*command

	network *link.Network
	links   []*link.Link
	// etcd is for the console's own requests, heard for those of the recipes.
	etcd, heard *clientv3.Client

	// ctx ends with the console.
	ctx   context.Context
	end   context.CancelFunc
	tasks sync.WaitGroup

	mu       sync.Mutex
	name     string
	session  *session // nil if there is none, or it was lost
	lost     *session // the last that was lost, if any
	lostAt   time.Time
	belief   *belief // nil if there is none
	jobs     []*job  // that run, in the order of their start
	harm     harm
	failures int
	ended    bool
}

// primitive is what a console is for.
type primitive interface {
	// commands are those that only this primitive has.
	commands() []*command
	// renew makes the object of a new session.
	renew(*workloads.Session)
}

// belief is what the console was told that it has. It does not change.
type belief struct {
	// who has it, and what it is: "c1", "leads".
	who, what string
	grant     workloads.Grant
	since     time.Time
}

func (b *belief) String() string { return b.who + " " + b.what }

// ended says that it is over.
func (b *belief) ended() string { return b.who + " no longer " + b.what }

// Open connects to etcd and opens a session. ctx bounds only that.
func Open(ctx context.Context, config Config) (*Console, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	kind, err := kindOf(config.Primitive)
	if err != nil {
		return nil, err
	}
	c := &Console{
		config:  config,
		kind:    kind,
		out:     &printer{w: config.Out, coloured: config.Coloured},
		network: link.NewNetwork(),
		name:    config.As,
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	primitive, directory := kind.open(c)
	c.primitive, c.object = primitive, config.Prefix+directory+"/"+config.Object
	c.commands = append(c.primitive.commands(), c.commonCommands()...)
	if err := c.connect(); err != nil {
		return nil, errors.Join(err, c.tearDown())
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if err := c.openSession(ctx); err != nil {
		return nil, errors.Join(err, c.tearDown())
	}
	return c, nil
}

func (c Config) withDefaults() Config {
	if c.Object == "" {
		c.Object = DefaultObject
	}
	if c.TTL == 0 {
		c.TTL = DefaultTTL
	}
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	return c
}

// Validate reports everything that is wrong with a configuration.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	if _, err := kindOf(c.Primitive); err != nil {
		errs = append(errs, err)
	}
	if strings.ContainsAny(c.Object, "/ ") {
		errs = append(errs, fmt.Errorf("the name %q has a slash or a space in it", c.Object))
	}
	if strings.ContainsAny(c.As, "/ ") {
		errs = append(errs, fmt.Errorf("the console's name %q has a slash or a space in it", c.As))
	}
	if c.TTL < time.Second || c.TTL%time.Second != 0 {
		errs = append(errs, fmt.Errorf("ttl: %v: must be whole seconds, at least 1s", c.TTL))
	}
	if len(c.Endpoints) == 0 {
		errs = append(errs, errors.New("no endpoints"))
	}
	for _, e := range c.Endpoints {
		if _, err := address(e); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// address returns the host and port of an endpoint.
func address(endpoint string) (string, error) {
	if !strings.Contains(endpoint, "://") {
		endpoint = "http://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("endpoint: %w", err)
	}
	if u.Scheme != "http" || u.Port() == "" || u.Hostname() == "" {
		return "", fmt.Errorf("endpoint %s: want http://HOST:PORT", endpoint)
	}
	return u.Host, nil
}

// connect opens a link to each endpoint and dials through them.
func (c *Console) connect() error {
	const party = "console"
	var urls []string
	for i, e := range c.config.Endpoints {
		backend, err := address(e)
		if err != nil {
			return err
		}
		target := fmt.Sprintf("%d-%s", i, backend)
		local, err := c.network.Listen(party, target, backend)
		if err != nil {
			return err
		}
		urls = append(urls, "http://"+local)
		c.links = append(c.links, c.network.Link(party, target))
	}
	etcd, err := clientv3.New(clientv3.Config{
		Endpoints: urls, DialTimeout: time.Second, Logger: zap.NewNop(), Context: c.ctx,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: time.Second})},
	})
	if err != nil {
		return fmt.Errorf("connect to etcd: %w", err)
	}
	c.etcd = etcd
	c.heard = listener{job: c.jobOf, bounds: c.kind.withoutContext}.client(etcd)
	return nil
}

// jobOf says for which command a request is: the one that its context names,
// else the one that has the object for itself.
func (c *Console) jobOf(ctx context.Context) *job {
	if j, ok := ctx.Value(jobKey{}).(*job); ok {
		return j
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, j := range c.jobs {
		if j.command.alone {
			return j
		}
	}
	return nil
}

// Name is the name under which other consoles know this one.
func (c *Console) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name
}

// Failures is how many commands have failed.
func (c *Console) Failures() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures
}

// Describe says what the console is for.
func (c *Console) Describe() string {
	return fmt.Sprintf("%s is a console for the %s %q below %s", c.Name(), c.config.Primitive, c.config.Object, c.object)
}

// Prompt is what stands before what the user types.
func (c *Console) Prompt() string {
	return fmt.Sprintf("%s %s/%s> ", c.Name(), c.config.Primitive, c.config.Object)
}

// Execute does one line: it returns when the command has ended, or goes on in
// the background. Everything is printed, errors too; the one that it returns is
// that of a command which has ended. After ErrCrashed, and one that IsQuit,
// nothing more can be executed.
func (c *Console) Execute(line string) error {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return nil
	}
	j, err := c.begin(fields[0], fields[1:])
	if err != nil {
		return c.fail(fields[0], err)
	}
	var prompt <-chan struct{}
	var impatience <-chan time.Time
	if j.command.blocks {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		prompt, impatience = j.waiting, timer.C
	}
	select {
	case <-j.done:
		return j.err
	case <-prompt:
	case <-impatience:
		c.out.line(yellow, "%s goes on: etcd has not answered for %v; cancel ends it", j.command.name, patience)
	}
	return nil
}

// IsQuit is true for the error with which Execute says that its user quit.
func IsQuit(err error) bool { return errors.Is(err, errQuit) }

// begin starts a command.
func (c *Console) begin(name string, args []string) (*job, error) {
	d, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if err := d.check(args); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, errors.New("the console is closed")
	}
	if c.harm.paused() && !d.local {
		return nil, errors.New("the console is paused: heal first")
	}
	if d.alone {
		for _, other := range c.jobs {
			if other.command.alone {
				return nil, fmt.Errorf("%s still runs: await it, or cancel it", other.command.name)
			}
		}
	}
	j := newJob(c.ctx, d)
	c.jobs = append(c.jobs, j)
	c.tasks.Go(func() { c.do(j, args) })
	return j, nil
}

// do runs a command to its end.
func (c *Console) do(j *job, args []string) {
	defer close(j.done)
	defer j.cancel(nil)
	err := surviving(func() error { return j.command.run(j, args) })
	c.mu.Lock()
	c.jobs = slices.DeleteFunc(c.jobs, func(other *job) bool { return other == j })
	c.mu.Unlock()
	switch {
	case err == nil, IsQuit(err), errors.Is(err, ErrCrashed):
		j.err = err
		return
	case IsQuit(context.Cause(j.ctx)), c.leaving():
		j.err = errQuit
		return
	}
	if j.cancelled() {
		c.out.line(yellow, "%s is cancelled", j.command.name)
		return
	}
	j.err = c.fail(j.command.name, err)
}

// fail prints the error of a command and counts it.
func (c *Console) fail(command string, err error) error {
	c.out.line(red, "%s: %v", command, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures++
	return fmt.Errorf("%s: %w", command, err)
}

// surviving makes the call and turns a panic into an error.
func surviving(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return call()
}

// call makes a recipe's call for a command. While the console is paused it
// does not return: a process that is stopped learns nothing.
func (c *Console) call(j *job, recipe func(ctx context.Context) error) error {
	err := surviving(func() error { return recipe(j.ctx) })
	c.awaitResumed()
	return err
}

// Interrupt does what Ctrl-C should: it cancels the command that was started
// last, or says how to leave.
func (c *Console) Interrupt() {
	c.mu.Lock()
	var last *job
	if len(c.jobs) > 0 {
		last = c.jobs[len(c.jobs)-1]
	}
	c.mu.Unlock()
	if last == nil {
		c.out.line(plain, "nothing runs; Ctrl-D or quit leaves")
		return
	}
	c.cancelJob(last)
}

// leaving is true once the console is being closed: nobody wants to know what
// becomes of its commands.
func (c *Console) leaving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// Close ends all commands, closes the session so that what it had is free at
// once, and disconnects. It may be called more than once. After a crash it
// tells etcd nothing.
func (c *Console) Close() error {
	c.mu.Lock()
	ended, jobs := c.ended, slices.Clone(c.jobs)
	c.ended = true
	c.mu.Unlock()
	for _, j := range jobs {
		j.cancel(errQuit)
	}
	if !ended {
		c.closeSession()
	}
	return c.tearDown()
}

// tearDown ends everything on this side; etcd hears nothing of it.
func (c *Console) tearDown() error {
	c.end()
	var errs []error
	if c.etcd != nil {
		if err := c.etcd.Close(); !errors.Is(err, context.Canceled) {
			errs = append(errs, err)
		}
	}
	c.tasks.Wait()
	return errors.Join(append(errs, c.network.Close())...)
}
