package browse

import (
	"net/http"
	"strconv"
)

// pageLength is how many runs one page of the list has.
const pageLength = 100

// listPage is the list of runs.
type listPage struct {
	Query   *query
	Options options
	Rows    []*run
	// Newest is the run that began last, of all.
	Newest *run
	// Found is how many the query chooses of All; Others are no run directories.
	Found, All, Others  int
	First, Last         int
	Previous, Following string
	Summary             []count
}

type count struct {
	Standing standing
	N        int
	Link     string
}

func (s *site) list(r *http.Request) (*view, error) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		return nil, &failure{http.StatusBadRequest, err.Error()}
	}
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	found := q.choose(c.Runs)
	p := &listPage{Query: q, Options: optionsOf(c.Runs), Found: len(found), All: len(c.Runs), Others: c.Others}
	if len(c.Runs) > 0 {
		p.Newest = c.Runs[0]
	}
	counts := make(map[string]int)
	for _, r := range found {
		counts[standingOf(r).Word]++
	}
	for _, st := range standings {
		if n := counts[st.Word]; n > 0 {
			p.Summary = append(p.Summary, count{st, n, q.With("verdict", st.Word)})
		}
	}
	first := min((q.Page-1)*pageLength, len(found))
	last := min(first+pageLength, len(found))
	p.Rows, p.First, p.Last = found[first:last], first+1, last
	if q.Page > 1 {
		p.Previous = q.With("page", strconv.Itoa(q.Page-1))
	}
	if last < len(found) {
		p.Following = q.With("page", strconv.Itoa(q.Page+1))
	}
	return &view{Template: "list", Title: "Runs", Here: "runs", Content: p}, nil
}
