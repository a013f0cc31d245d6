package browse

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
)

// many are 500 runs with as many properties as a run of the scenario quick has.
func many() []sample {
	var all []sample
	for i := range 500 {
		var properties []property
		for subject := range 6 {
			for _, p := range checker.PropertyNames() {
				properties = append(properties, kept(fmt.Sprint("subject-", subject), p.Name))
			}
		}
		all = append(all, one(fmt.Sprint("scenario-", i%5), int64(i+1), i, properties...))
	}
	return all
}

// The first look at 500 runs reads all of them.
func BenchmarkFirstLook(b *testing.B) {
	s := serving(b, many()...)
	for b.Loop() {
		clear(s.handler.library.runs)
		if c, err := s.handler.library.look(); err != nil || len(c.Runs) != 500 {
			b.Fatal(len(c.Runs), err)
		}
	}
}

// Every other page looks whether they have changed.
func BenchmarkPages(b *testing.B) {
	s := serving(b, many()...)
	names, err := s.handler.library.look()
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{
		"list": "/", "filtered": "/?subject=subject-3&property=exclusion&verdict=holds&sort=verdict", "run": runLink(names.Runs[0].Name),
		"compare": compareLink(names.Runs[0].Name, names.Runs[5].Name, true), "trends": "/trends", "trend": "/trends?scenario=scenario-1",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Host = "localhost"
				if w := record(s, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
