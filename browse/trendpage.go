package browse

import (
	"net/http"
	"slices"
)

// trendsPage is how scenarios have fared, or one of them.
type trendsPage struct {
	Courses  []course
	One      *course
	Subjects []string
	Subject  string
	Rates    []series
	Trends   []trend
}

func (s *site) trends(r *http.Request) (*view, error) {
	c, err := s.library.look()
	if err != nil {
		return nil, err
	}
	scenario := r.URL.Query().Get("scenario")
	if scenario == "" {
		return &view{Template: "trends", Title: "Trends", Here: "trends", Content: &trendsPage{Courses: coursesOf(c.Runs, maxStrip)}}, nil
	}
	p := &trendsPage{}
	for _, one := range coursesOf(c.Runs, maxTrend) {
		if one.Scenario == scenario {
			p.One = &one
		}
	}
	if p.One == nil {
		return nil, &failure{http.StatusNotFound, "There is no run of this scenario in the directory."}
	}
	for _, run := range p.One.Runs {
		for _, subject := range run.subjects() {
			if !slices.Contains(p.Subjects, subject) {
				p.Subjects = append(p.Subjects, subject)
			}
		}
	}
	p.Subject = r.URL.Query().Get("subject")
	asked := r.URL.Query().Has("subject") && slices.Contains(p.Subjects, p.Subject)
	if !asked && len(p.Subjects) > 0 {
		p.Subject = p.Subjects[0]
	}
	p.Rates, p.Trends = ratesOf(p.One), trendsOf(p.One, p.Subject)
	return &view{Template: "trend", Title: "Trend of " + scenario, Here: "trends", Content: p}, nil
}
