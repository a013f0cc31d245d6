package browse

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/printable"
)

// query is which runs to show, and in what order: a form's fields.
type query struct {
	Scenario, Subject, Property string
	// Standing is a word of standings: that of the run, or of the subject and
	// property if they are chosen.
	Standing string
	Seed     string
	// From and To are days, both of them included, in UTC.
	From, To string
	Sort     string
	Page     int

	seed     int64
	from, to time.Time
}

// The orders in which runs can be shown; the first is the usual one.
var orders = map[string]func(a, b *run) int{
	"newest": newestFirst,
	"oldest": func(a, b *run) int { return newestFirst(b, a) },
	"scenario": func(a, b *run) int {
		return cmp.Or(strings.Compare(a.Info.Scenario, b.Info.Scenario), newestFirst(a, b))
	},
	"seed": func(a, b *run) int { return cmp.Or(cmp.Compare(a.Info.Seed, b.Info.Seed), newestFirst(a, b)) },
	"verdict": func(a, b *run) int {
		return cmp.Or(cmp.Compare(standingOf(a).rank, standingOf(b).rank), newestFirst(a, b))
	},
}

// usualOrder is the order of runs if none is asked for.
const usualOrder = "newest"

// day is how days are written in a form.
const day = "2006-01-02"

// parseQuery reads the fields of a form. An error says which of them is wrong.
func parseQuery(v url.Values) (*query, error) {
	q := &query{
		Scenario: v.Get("scenario"), Subject: v.Get("subject"), Property: v.Get("property"), Standing: v.Get("verdict"),
		Seed: strings.TrimSpace(v.Get("seed")), From: v.Get("from"), To: v.Get("to"), Sort: cmp.Or(v.Get("sort"), usualOrder), Page: 1,
	}
	var err error
	if q.Seed != "" {
		if q.seed, err = strconv.ParseInt(q.Seed, 10, 64); err != nil {
			return nil, fmt.Errorf("seed: %s is not a whole number", quoted(q.Seed))
		}
	}
	if q.From != "" {
		if q.from, err = time.Parse(day, q.From); err != nil {
			return nil, fmt.Errorf("from: %s is not a day like 2026-11-27", quoted(q.From))
		}
	}
	if q.To != "" {
		if q.to, err = time.Parse(day, q.To); err != nil {
			return nil, fmt.Errorf("to: %s is not a day like 2026-11-27", quoted(q.To))
		}
		q.to = q.to.AddDate(0, 0, 1)
	}
	if orders[q.Sort] == nil {
		return nil, fmt.Errorf("sort: there is no order %s", quoted(q.Sort))
	}
	if q.Standing != "" && !slices.ContainsFunc(standings, func(s standing) bool { return s.Word == q.Standing }) {
		return nil, fmt.Errorf("verdict: there is no verdict %s", quoted(q.Standing))
	}
	if page := v.Get("page"); page != "" {
		if q.Page, err = strconv.Atoi(page); err != nil || q.Page < 1 {
			return nil, fmt.Errorf("page: %s is not a page's number", quoted(page))
		}
	}
	return q, nil
}

// quoted is what somebody wrote, for a message.
func quoted(text string) string { return fmt.Sprintf("%.60q", printable.Text(text)) }

// With is the query as a link to the list, with a field changed. Fields that are
// left out have no place in it; the page is the first one again.
func (q *query) With(field, value string) string {
	v := url.Values{}
	for name, text := range map[string]string{
		"scenario": q.Scenario, "subject": q.Subject, "property": q.Property, "verdict": q.Standing, "seed": q.Seed, "from": q.From, "to": q.To,
		"sort": q.Sort,
	} {
		if text != "" && (name != "sort" || text != usualOrder) {
			v.Set(name, text)
		}
	}
	if v.Del(field); value != "" {
		v.Set(field, value)
	}
	if len(v) == 0 {
		return "/"
	}
	return "/?" + v.Encode()
}

// Narrows is true if the query leaves out any run.
func (q *query) Narrows() bool {
	return q.Scenario+q.Subject+q.Property+q.Standing+q.Seed+q.From+q.To != ""
}

// choose returns the runs that the query asks for, in its order.
func (q *query) choose(runs []*run) []*run {
	var some []*run
	for _, r := range runs {
		if q.matches(r) {
			some = append(some, r)
		}
	}
	slices.SortStableFunc(some, orders[q.Sort])
	return some
}

func (q *query) matches(r *run) bool {
	started := r.Info.Started
	switch {
	case q.Scenario != "" && r.Info.Scenario != q.Scenario,
		q.Seed != "" && r.Info.Seed != q.seed,
		q.From != "" && started.Before(q.from),
		q.To != "" && !started.Before(q.to):
		return false
	}
	if q.Subject == "" && q.Property == "" {
		return q.Standing == "" || standingOf(r).Word == q.Standing
	}
	for i := range r.properties() {
		p := &r.Verdict.Properties[i]
		if (q.Subject == "" || p.Subject == q.Subject) && (q.Property == "" || p.Property == q.Property) &&
			(q.Standing == "" || p.standing().Word == q.Standing) {
			return true
		}
	}
	return false
}

// options are what the fields of a form can be.
type options struct {
	Scenarios, Subjects, Properties []string
	Standings                       []standing
}

func optionsOf(runs []*run) options {
	o := options{Standings: standings}
	scenarios, subjects, properties := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range runs {
		if r.Info.Scenario != "" {
			scenarios[r.Info.Scenario] = true
		}
		for i := range r.properties() {
			p := &r.Verdict.Properties[i]
			subjects[p.Subject], properties[p.Property] = true, true
		}
	}
	delete(subjects, "") // no filter could name what is of no subject
	o.Scenarios, o.Subjects, o.Properties = sorted(scenarios), sorted(subjects), sorted(properties)
	return o
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for name := range set {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
