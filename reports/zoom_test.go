package reports_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/reports"
)

// pictured are reports whose pictures together have shapes of all kinds.
func pictured() map[string]*reports.Report {
	return map[string]*reports.Report{
		"violated": violatedReport(), "cut short": cutShortReport(), "queue": queueReport(), "barrier": barrierReport(), "register": registerReport(),
		"double barrier": doubleBarrierReport(), "late": lateReport(), "semaphore": semaphoreReport(), "bank": bankReport(),
	}
}

// one is the report of a history with one violation.
func one(r *record, s history.SubjectInfo, v checker.Violation, property string) *reports.Report {
	v.Blame, v.Sentence = checker.BlameSubject, "It went wrong."
	return report(r.done(), &checker.Result{
		Verdict: checker.Violated, Exit: checker.ExitViolated,
		Properties: []checker.Property{{Subject: s.Name, Primitive: s.Primitive, Property: property, Verdict: checker.Violated, Violations: []checker.Violation{v}, Sentence: v.Sentence}},
	})
}

// call adds an operation that ended well.
func (r *record) call(subject, object, client string, kind history.Kind, value string, from, to time.Duration) int64 {
	return r.add(history.Operation{Client: client, Subject: subject, Object: object, Kind: kind, Value: value, Call: from, Return: to, Outcome: history.Ok})
}

// put adds a change of a key that lasts until the next one of it.
func (r *record) put(key, value string, lease int64, at time.Duration) {
	r.changes = append(r.changes, &history.Change{Time: at, Key: key, Version: 1, Lease: lease, Value: value})
}

func queueReport() *reports.Report {
	s := history.SubjectInfo{Name: "queue", Primitive: history.Queue, Origin: history.FromUser, Layout: history.ItemKeys}
	r := newRecord(s)
	r.call("queue", "jobs", "c1", history.Enqueue, "v1", 10*ms, 12*ms)
	r.put("/holdfast/queue/jobs/1", "v1", 0, 11*ms)
	id := r.add(history.Operation{Client: "c2", Subject: "queue", Object: "jobs", Kind: history.Dequeue, Call: 20 * ms, Return: 120 * ms, Outcome: history.Info, Panicked: true})
	return one(r, s, checker.Violation{Object: "jobs", Witness: []int64{id}, From: 20 * ms, To: 120 * ms}, checker.Contract)
}

func barrierReport() *reports.Report {
	s := history.SubjectInfo{Name: "barrier", Primitive: history.Barrier, Origin: history.FromUser, Layout: history.BarrierKeys}
	r := newRecord(s)
	block := r.call("barrier", "x", "c1", history.Block, "", 10*ms, 12*ms)
	r.put("/holdfast/barrier/x/held", "", 0, 11*ms)
	pass := r.call("barrier", "x", "c2", history.Pass, "", 7*time.Second, 7*time.Second+300*time.Microsecond)
	return one(r, s, checker.Violation{Object: "x", Witness: []int64{block, pass}, From: 10 * ms, To: 7*time.Second + 300*time.Microsecond}, checker.Linearizable)
}

func registerReport() *reports.Report {
	s := history.SubjectInfo{Name: "register", Primitive: history.Register, Origin: history.FromUser, Layout: history.OneKey}
	r := newRecord(s)
	r.call("register", "k", "c1", history.Put, "v1", 10*ms, 12*ms)
	r.put("/holdfast/register/k/value", "v1", 0, 11*ms)
	write := r.call("register", "k", "c2", history.Put, "v2", 50*ms, 52*ms)
	r.put("/holdfast/register/k/value", "v2", 0, 51*ms)
	read := r.call("register", "k", "c1", history.Get, "v1", 60*ms, 70*ms)
	return one(r, s, checker.Violation{Object: "k", Witness: []int64{write, read}, From: 50 * ms, To: 70 * ms}, checker.Linearizable)
}

func doubleBarrierReport() *reports.Report {
	s := history.SubjectInfo{Name: "meeting", Primitive: history.DoubleBarrier, Origin: history.FromUser, Layout: history.MemberKeys, Permits: 2}
	r := newRecord(s)
	r.event(history.Event{Time: 1 * ms, Kind: history.SessionOpened, Client: "c1", Lease: 0x11, TTL: time.Second})
	enter := r.call("meeting", "x", "c1", history.Enter, "", 10*ms, 100*ms)
	r.put("/holdfast/meeting/x/waiters/11", "", 0x11, 15*ms)
	r.put("/holdfast/meeting/x/ready", "", 0, 90*ms)
	leave := r.add(history.Operation{Client: "c1", Subject: "meeting", Object: "x", Kind: history.Leave, Call: 120 * ms, Return: 400 * ms, Outcome: history.Ok, Requests: 145})
	return one(r, s, checker.Violation{Object: "x", Witness: []int64{enter, leave}, From: 120 * ms, To: 400 * ms}, checker.Contract)
}

func bankReport() *reports.Report {
	s := history.SubjectInfo{Name: "bank", Primitive: history.Bank, Origin: history.FromUser, Layout: history.AccountKeys, Whole: 20}
	r := newRecord(s)
	r.put("/holdfast/bank/b/1", "10", 0, 1*ms)
	r.put("/holdfast/bank/b/2", "10", 0, 2*ms)
	transfer := r.call("bank", "b", "c1", history.Transfer, "1 2 t1", 10*ms, 20*ms)
	r.put("/holdfast/bank/b/1", "7 t1", 0, 15*ms)
	return one(r, s, checker.Violation{Object: "b", Witness: []int64{transfer}, From: 10 * ms, To: 20 * ms}, checker.Total)
}

func lateReport() *reports.Report {
	s := history.SubjectInfo{Name: "mutex", Primitive: history.Mutex, Origin: history.FromUser, Layout: history.OldestKey}
	r := newRecord(s)
	id := r.add(history.Operation{
		Client: "c1", Subject: "mutex", Object: "a", Kind: history.Acquire, Call: 10 * ms, Return: 6 * time.Second, Deadline: time.Second, Outcome: history.Info, Requests: 3,
	})
	return one(r, s, checker.Violation{Object: "a", Witness: []int64{id}, From: 10 * ms, To: 6 * time.Second}, checker.Contract)
}

// semaphoreReport has a semaphore of two permits for which three wait.
func semaphoreReport() *reports.Report {
	s := history.SubjectInfo{Name: "semaphore", Primitive: history.Semaphore, Origin: history.FromUser, Layout: history.OldestKeys, Permits: 2}
	r := newRecord(s)
	for i := range int64(3) {
		r.event(history.Event{Time: time.Duration(i) * ms, Kind: history.SessionOpened, Client: fmt.Sprint("c", i+1), Lease: 0x10 + i, TTL: time.Second})
	}
	a := r.hold("semaphore", "s", "c1", 0x10, 10*ms, 20*ms, 300*ms)
	b := r.hold("semaphore", "s", "c2", 0x11, 30*ms, 40*ms, 400*ms)
	c := r.hold("semaphore", "s", "c3", 0x12, 50*ms, 60*ms, 500*ms)
	return one(r, s, checker.Violation{Object: "s", Witness: []int64{a, b, c}, From: 60 * ms, To: 300 * ms}, checker.Exclusion)
}

var (
	heroFigure = regexp.MustCompile(`(?s)<figure class="hero">(.*?)</figure>`)
	svgText    = regexp.MustCompile(`<text[^>]*>([^<]*)</text>`)
	legendText = regexp.MustCompile(`(?s)<figcaption>(.*?)</figcaption>`)
	tags       = regexp.MustCompile(`<[^>]*>`)
)

// hero is the texts and the legend of the first picture of a report's page.
func hero(t *testing.T, r *reports.Report) (svg, texts, legend string) {
	t.Helper()
	m := heroFigure.FindStringSubmatch(page(t, r))
	if m == nil {
		t.Fatal("the first screen has no picture")
	}
	var said []string
	for _, s := range svgText.FindAllStringSubmatch(m[1], -1) {
		said = append(said, s[1])
	}
	return m[1], strings.Join(said, "|"), tags.ReplaceAllString(legendText.FindStringSubmatch(m[1])[1], "")
}

// TestPicturesSayWhatTheyShow: calls are told with what was asked and answered, the
// store's part is there, and the legend has what the picture has.
func TestPicturesSayWhatTheyShow(t *testing.T) {
	for name, c := range map[string]struct {
		texts, not, legend, absent []string
	}{
		"queue": {
			[]string{"|calls|", "dequeue: panicked", "|in etcd|", "v1, rev 801"}, []string{"believes", "the violation shows"},
			[]string{"call, witness", "other call", "the item is there"}, []string{"hold", "waits", "told", "crash", "leads", "lease"},
		},
		"barrier": {
			[]string{"block: ok", "pass: ok", "closed, rev 801"}, []string{"believes", "the violation shows"}, []string{"the barrier is closed"}, []string{"hold", "other call"},
		},
		"register":       {[]string{"put v2: ok", "get: v1", "v1, rev 801", "v2, rev 802"}, []string{"believes"}, []string{"the value"}, []string{"hold", "other call"}},
		"double barrier": {[]string{"leave: ok, 145 requests", "key, rev 801", "ready, rev 802"}, []string{"believes"}, []string{"its key exists"}, []string{"hold"}},
		"bank":           {[]string{"transfer 1 2 t1: ok", "7 t1, rev 803", "10, rev 801"}, []string{"believes"}, []string{"the balance"}, []string{"hold"}},
		"late":           {[]string{"acquire: unknown outcome, 5.00 s late", "its context ended"}, []string{"believes", "the violation shows"}, []string{"its context ended", "waits, witness"}, []string{"hold", "lease"}},
		"violated":       {[]string{"believes", "overlap, 690 ms", "holds, token"}, nil, []string{"believes it holds, witness"}, []string{"call", "lease ended", "told"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, texts, legend := hero(t, pictured()[name])
			texts = "|" + texts + "|"
			for _, want := range c.texts {
				if !strings.Contains(texts, want) {
					t.Errorf("the picture lacks %q: %s", want, texts)
				}
			}
			for _, wrong := range c.not {
				if strings.Contains(texts, wrong) {
					t.Errorf("the picture has %q: %s", wrong, texts)
				}
			}
			for _, want := range c.legend {
				if !strings.Contains(legend, want) {
					t.Errorf("the legend lacks %q: %s", want, legend)
				}
			}
			for _, wrong := range c.absent {
				if strings.Contains(legend, wrong) {
					t.Errorf("the legend has %q: %s", wrong, legend)
				}
			}
		})
	}
}

// TestShortCallsAreSeen: a call of 0.3 ms within 7 s is wide enough to be seen.
func TestShortCallsAreSeen(t *testing.T) {
	svg, _, _ := hero(t, barrierReport())
	calls := regexp.MustCompile(`<rect x="[0-9.]+" y="[0-9.]+" width="([0-9.]+)" height="[0-9.]+"><title>c[12] (block|pass): ok, [12], `).FindAllStringSubmatch(svg, -1)
	if len(calls) != 2 {
		t.Fatalf("%d calls are drawn: %s", len(calls), svg)
	}
	for _, c := range calls {
		var width float64
		if _, err := fmt.Sscan(c[1], &width); err != nil || width < 4 {
			t.Errorf("the %s is %s wide", c[2], c[1])
		}
	}
}

// TestSemaphoreKeysOwnByPermits: as many keys own a semaphore as it has permits,
// and the next one from when one of them goes.
func TestSemaphoreKeysOwnByPermits(t *testing.T) {
	svg, _, _ := hero(t, semaphoreReport())
	for key, since := range map[string]string{"10": "0.015 s", "11": "0.035 s", "12": "0.303 s"} {
		if want := "key " + key + " on lease " + key + ","; !regexp.MustCompile(want + `[^<]* it owned the object from ` + since).MatchString(svg) {
			t.Errorf("key %s does not own from %s: %s", key, since, svg)
		}
	}
}

// TestOrderOfCallsIsDrawn: calls that have no order are numbered up to the one that
// cannot follow; of those that have one there is no such picture.
func TestOrderOfCallsIsDrawn(t *testing.T) {
	out := page(t, barrierReport())
	_, order, ok := strings.Cut(out, `<figure class="orders">`)
	order, _, _ = strings.Cut(order, "</figure>")
	if !ok {
		t.Fatal("the page has no order of the calls")
	}
	var said []string
	for _, m := range svgText.FindAllStringSubmatch(order, -1) {
		said = append(said, m[1])
	}
	if got, want := strings.Join(said, "|"), "c1|1|block: ok|c2|✗|cannot follow: pass: ok"; got != want {
		t.Errorf("the picture says %s, not %s", got, want)
	}
	if want := "has 1 call, numbered; then <b>c2’s pass: ok</b> cannot follow."; !strings.Contains(order, want) {
		t.Errorf("the page lacks %q: %s", want, order)
	}
	r := barrierReport()
	r.History.Operations[1].Call, r.History.Operations[1].Return = 1*ms, 11*ms
	if legal := page(t, r); strings.Contains(legal, `<figure class="orders">`) || !strings.Contains(legal, "No order of the calls is drawn") {
		t.Error("calls that have an order are drawn as if they had none")
	}
}
