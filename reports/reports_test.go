package reports_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/reports"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var examples = map[string]func() *reports.Report{
	"violated":  violatedReport,
	"vacuous":   vacuousReport,
	"cut-short": cutShortReport,
}

func table(r *reports.Report) ([]byte, error) {
	var b bytes.Buffer
	err := reports.Table(r, &b)
	return b.Bytes(), err
}

var formats = map[string]func(*reports.Report) ([]byte, error){"txt": table, "json": reports.JSON, "html": reports.HTML}

func TestGolden(t *testing.T) {
	for name, example := range examples {
		for extension, format := range formats {
			t.Run(name+"."+extension, func(t *testing.T) {
				got, err := format(example())
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join("testdata", name+"."+extension)
				if *update {
					if err := os.WriteFile(file, got, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s differs from what was printed; look at the difference after go test ./reports -update", file)
				}
			})
		}
	}
}

// TestScreens writes pages to look at where REPORTS_SCREENS names a directory.
func TestScreens(t *testing.T) {
	directory := os.Getenv("REPORTS_SCREENS")
	if directory == "" {
		t.Skip("REPORTS_SCREENS names no directory")
	}
	pages := map[string]*reports.Report{"big": bigReport(6, 1, 30, 2000, 10, 25*time.Second), "hostile": hostileReport(), "many": manyViolations(), "huge": bigReport(6, 3, 30, 1000000, 40, 1000*time.Second)}
	for name, example := range examples {
		pages[name] = example()
	}
	for name, r := range pages {
		start := time.Now()
		page, err := reports.HTML(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(name, len(page), time.Since(start))
		if err := os.WriteFile(filepath.Join(directory, name+".html"), page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
