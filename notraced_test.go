package holdfast

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What make race leaves out has nothing that could race: neither a package of it, with
// its tests, nor what they use of this module starts a goroutine, or has one started by
// what serves, asks or runs something else.
func TestWhatIsNotRacedStartsNoGoroutine(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^SINGLE = (.+)$`).FindSubmatch(makefile)
	if list == nil {
		t.Fatal("the Makefile has no list SINGLE")
	}
	for _, name := range strings.Fields(string(list[1])) {
		for _, start := range goroutinesOf(t, name) {
			t.Errorf("%s is not raced: %s", name, start)
		}
	}
	// These do, each in another way: by a statement in its code, in its tests, by a test
	// that is parallel, and in what it uses.
	for _, name := range []string{"./cluster/link", "./history", "./checker/exact", "./cluster"} {
		if len(goroutinesOf(t, name)) == 0 {
			t.Errorf("%s starts goroutines, and none was found", name)
		}
	}
}

// goroutinesOf lists where goroutines are started in a package, its tests, and what both
// use of this module.
func goroutinesOf(t *testing.T, name string) (starts []string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-test", "-f", `{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}`, name)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", name, err)
	}
	own, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	directories := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
	if !slices.Contains(directories, own) {
		t.Fatalf("%s is not among its own packages: %q", own, directories)
	}
	for _, directory := range directories {
		files, err := filepath.Glob(filepath.Join(directory, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if directory == own || !strings.HasSuffix(file, "_test.go") {
				starts = append(starts, goroutinesIn(t, file)...)
			}
		}
	}
	return starts
}

// goroutinesIn lists what in a file starts goroutines.
func goroutinesIn(t *testing.T, name string) (starts []string) {
	t.Helper()
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := func(node ast.Node, what string) {
		starts = append(starts, positions.Position(node.Pos()).String()+": "+what)
	}
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if path == "net" || strings.HasPrefix(path, "net/http") || path == "net/rpc" || path == "os/exec" || path == "os/signal" {
			found(i, "it imports "+path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found(n, "go")
		case *ast.CallExpr:
			if call, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Go", "Parallel", "RunParallel", "AfterFunc"}, call.Sel.Name) {
				found(n, call.Sel.Name)
			}
		}
		return true
	})
	return starts
}
