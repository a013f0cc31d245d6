package reports_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/browser"
	"github.com/etcd-holdfast/holdfast/reports"
)

const lastWords = `signal: killed; it said "panic: </title><script>alert(1)</script>"`

// endedReport is of a run whose member m2 died at 1 s and was back at 2.5 s, and whose
// m9, which never said anything, died at 3 s.
func endedReport() *reports.Report {
	r := newRecord(history.SubjectInfo{Name: "mutex", Primitive: history.Mutex, Origin: history.FromEtcd})
	r.event(history.Event{Kind: history.SessionOpened, Client: "c1", Lease: 7, TTL: time.Second})
	for _, e := range []history.Event{
		{Time: 10 * ms, Kind: history.Leads, Client: "m1", Detail: "leader"},
		{Time: 10 * ms, Kind: history.Leads, Client: "m2", Detail: "follower"},
		{Time: 1000 * ms, Kind: history.Ended, Client: "m2", Detail: lastWords},
		{Time: 1040 * ms, Kind: history.Leads, Client: "m2", Detail: "down"},
		{Time: 2500 * ms, Kind: history.Leads, Client: "m2", Detail: "follower"},
		{Time: 3000 * ms, Kind: history.Ended, Client: "m9", Detail: "exit status 2"},
	} {
		r.event(e)
	}
	first := r.hold("mutex", "a", "c1", 7, 900*ms, 950*ms, 1200*ms)
	r.phases(20*ms, 3500*ms, 3800*ms, 4000*ms)
	return report(r.done(), &checker.Result{Verdict: checker.Violated, Exit: 1, Properties: []checker.Property{{
		Subject: "mutex", Property: "progress", Verdict: checker.Violated, Effect: checker.Violated,
		Violations: []checker.Violation{{Object: "a", Blame: checker.BlameSubject, Witness: []int64{first}, From: 950 * ms, To: 1200 * ms, Sentence: "it stood still"}},
	}}})
}

// Where a member died that nobody had killed is marked in still pictures and for the
// script, with how, and it is down until it is back.
func TestMembersThatDieAreMarked(t *testing.T) {
	out := page(t, endedReport())
	still := withoutScript(t, out)
	for _, want := range []string{
		"m2 was seen to have ended at 1.000 s, and holdfast had not ended it: signal: killed; it said &#34;panic: &lt;/title&gt;&lt;script&gt;alert(1)",
		"m2: down from 1.000 s to 2.500 s", "m2: follower from 2.500 s to 4.000 s",
		"m9 was seen to have ended at 3.000 s, and holdfast had not ended it: exit status 2", "m9: down from 3.000 s to 4.000 s",
		"</svg> ended, and holdfast had not ended it</span>", "</svg> member ended, and holdfast had not ended it</span>",
	} {
		if !strings.Contains(strings.ReplaceAll(still, "&quot;", "&#34;"), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	head, _, _ := data(t, out)
	members := head["Members"].([]any)
	if len(members) != 3 {
		t.Fatalf("the script knows %d members", len(members))
	}
	if m1 := members[0].(map[string]any); m1["Ends"] != nil {
		t.Errorf("m1: %v", m1)
	}
	m2 := members[1].(map[string]any)
	if states, ends := m2["States"].([]any), m2["Ends"].([]any); len(states) != 3 || len(ends) != 1 || ends[0].(map[string]any)["At"] != 1e6 || states[1].(map[string]any)["State"] != "down" {
		t.Errorf("m2: %v", m2)
	}
	if whole := page(t, violatedReport()); strings.Contains(whole, "had not ended it") || strings.Contains(whole, "ended unasked") {
		t.Error("the legend of a run in which no member died has that mark")
	}
}

func TestBrowserTellsHowAMemberDied(t *testing.T) {
	tab, witness := tab(t)
	address := file(t, endedReport())
	do(t, tab, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(address), browser.Ready(),
		browser.Script(`document.querySelector('.lanes').scrollIntoView({block: 'center'})`), browser.Painted())
	mark := ask[[]float64](t, tab, `(() => {
		const { timeline } = holdfast;
		const found = timeline.targets.find((t) => typeof t.text === 'string' && t.text.startsWith('m2 was seen'));
		const box = timeline.canvas.getBoundingClientRect();
		return [box.left + (found.x1 + found.x2) / 2, box.top + (found.y1 + found.y2) / 2];
	})()`)
	do(t, tab, chromedp.MouseEvent("mouseMoved", mark[0], mark[1]), browser.Painted())
	if tip := ask[string](t, tab, `document.querySelector('.tip').innerText`); !strings.Contains(tip, lastWords) {
		t.Errorf("over the mark the pointer reads %q", tip)
	}
	quiet(t, witness, address)
}
