package browse

import (
	"fmt"
	"net/http"
)

func (s *site) compare(r *http.Request) (*view, error) {
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	chosen := r.URL.Query()["run"]
	if len(chosen) != 2 {
		return nil, &failure{http.StatusBadRequest, fmt.Sprintf("Two runs can be compared, and %d are chosen: tick two in the list.", len(chosen))}
	}
	var two []*run
	for _, name := range chosen {
		one := c.byName[name]
		if one == nil {
			return nil, errNoRun
		}
		two = append(two, one)
	}
	a, b := two[0], two[1]
	if newestFirst(a, b) < 0 && r.URL.Query().Get("order") == "" { // the older one stands left
		a, b = b, a
	}
	return &view{Template: "compare", Title: "Two runs", Here: "runs", Content: compare(a, b, r.URL.Query().Get("all") != "")}, nil
}
