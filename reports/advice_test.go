package reports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
)

// withoutAdvice are the causes for which only the servers or a lease can be to
// blame, or that only go on after another cause.
var withoutAdvice = []string{
	"acknowledged, and its key was never there", "lease ended before its time",
	"the store went back behind what it had acknowledged", "the store went back: ", "not told of a deletion at the compacted revision",
	"lease ended while held", "lease of the subject's own ended while held", "a lease of which the program does not tell ended while held",
	", ", ", behind a holder", ", with no holder", ", after an attempt that failed",
}

// Every cause that the checks can give has advice, and there is no advice on causes
// that no check gives.
func TestAdviceOnEveryCause(t *testing.T) {
	causes := causesOf(t, "../checker")
	if len(causes) < 60 {
		t.Fatalf("only %d causes are found in the checker's source: %q", len(causes), causes)
	}
	used := map[string]bool{}
	for _, cause := range causes {
		found := false
		for property, list := range advices {
			for _, a := range list {
				if a.cause != "" && strings.HasPrefix(cause, a.cause) {
					used[property+"|"+a.cause] = true
					found = found || a.prevent != ""
				}
			}
		}
		// What a bank's transactions did wrong has general advice.
		if !found && !slices.Contains(withoutAdvice, cause) && !inFile(t, "../checker/total.go", cause) {
			t.Errorf("no advice on the cause %q", cause)
		}
	}
	for property, list := range advices {
		for _, a := range list {
			// See stuck, and the models of package exact.
			composed := strings.HasPrefix(a.cause, "never ") || strings.HasPrefix(a.cause, "no order of the calls keeps the rules of a ")
			if a.cause != "" && !used[property+"|"+a.cause] && !composed {
				t.Errorf("advice of %q on %q, which no check gives as a cause", property, a.cause)
			}
		}
	}
}

func inFile(t *testing.T, path, cause string) bool {
	t.Helper()
	return slices.Contains(causesOf(t, path), cause)
}

// causesOf returns how the causes begin that a package, or one file, gives.
func causesOf(t *testing.T, path string) []string {
	t.Helper()
	pattern := path
	if filepath.Ext(path) == "" {
		pattern = filepath.Join(path, "*.go")
	}
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	c := collector{parameters: map[string]int{}}
	for _, f := range files {
		ast.Inspect(f, c.declaration)
	}
	for _, f := range files {
		ast.Inspect(f, c.use)
	}
	slices.Sort(c.found)
	return slices.Compact(c.found)
}

// collector finds what a source calls a cause.
type collector struct {
	parameters map[string]int // of functions, the place of the one that is called cause
	found      []string
}

func (c *collector) declaration(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		c.signature(n.Name.Name, n.Type)
	case *ast.AssignStmt:
		for i, right := range n.Rhs {
			if f, ok := right.(*ast.FuncLit); ok {
				if name, ok := n.Lhs[i].(*ast.Ident); ok {
					c.signature(name.Name, f.Type)
				}
			}
		}
	}
	return true
}

func (c *collector) signature(name string, f *ast.FuncType) {
	place := 0
	for _, field := range f.Params.List {
		for _, parameter := range field.Names {
			if parameter.Name == "cause" {
				c.parameters[name] = place
			}
			place++
		}
	}
}

func (c *collector) use(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Cause" {
			c.add(n.Value)
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if name.Name == "neverRenewed" && i < len(n.Values) {
				c.add(n.Values[i])
			}
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			if len(n.Rhs) == len(n.Lhs) && isCause(left) {
				c.add(n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		name := ""
		switch f := n.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		if place, ok := c.parameters[name]; ok && place < len(n.Args) {
			c.add(n.Args[place])
		}
	}
	return true
}

func isCause(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "cause"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Cause"
	}
	return false
}

// add adds how the text of an expression begins.
func (c *collector) add(e ast.Expr) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && text != "" && !strings.HasPrefix(text, ";") {
			c.found = append(c.found, text)
		}
	case *ast.BinaryExpr:
		right, _ := e.Y.(*ast.BasicLit)
		if call, ok := e.X.(*ast.CallExpr); ok && right != nil {
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "lossOf" {
				for _, loss := range []string{"lease ended", "key deleted", "key gone"} {
					text, _ := strconv.Unquote(right.Value)
					c.found = append(c.found, loss+text)
				}
				return
			}
		}
		c.add(e.X)
	case *ast.CallExpr: // of Sprintf
		if len(e.Args) > 1 {
			if format, ok := e.Args[0].(*ast.BasicLit); ok && !strings.HasPrefix(format.Value, `"%`) {
				text, _ := strconv.Unquote(format.Value)
				before, _, _ := strings.Cut(text, "%")
				c.found = append(c.found, before)
			}
		}
	}
}

// A cause is explained by what its property says first, then by what is said of any.
func TestAdvicePrefersTheProperty(t *testing.T) {
	for _, test := range []struct{ property, cause, because string }{
		{checker.Ownership, "lease ended while waiting", "its lease had ended while it waited"},
		{checker.Exclusion, "after a false success: told before its turn", "its turn had not come"},
		{checker.Fencing, "token not above that of a hold released before, after a false success: told before its turn", "a later holder was given a token that is not higher"},
		{checker.Delivery, "acknowledged, and its key was never there", "an item was acknowledged and never there"},
		{checker.Delivery, "acknowledged, and key deleted with no dequeue", "an item was acknowledged, taken out and given to nobody"},
		{checker.Exclusion, "something new", ""},
	} {
		if got, _ := adviceOn(test.property, test.cause); got.because != test.because {
			t.Errorf("%s, %s: %q and not %q", test.property, test.cause, got.because, test.because)
		}
	}
}

func TestWordsOfAViolation(t *testing.T) {
	for _, test := range []struct {
		group group
		want  string
	}{
		{group{Subject: "mutex", Property: checker.Exclusion, Known: "etcd#22082"}, "mutex: a late Unlock deleted the key of a newer lock: two clients held it"},
		{group{Subject: "mine", Property: checker.Exclusion, Violations: []*checker.Violation{{Cause: "key deleted while held"}}},
			"mine: two clients held the lock at the same time: the key of one was deleted while it held"},
		{group{Subject: "mine", Property: checker.Exclusion, Violations: []*checker.Violation{{Cause: "after a false success: lease ended while waiting"}}},
			"mine: two clients held the lock at the same time: one was told so though its lease had ended while it waited"},
		{group{Subject: "mine", Property: checker.Contract, Violations: []*checker.Violation{{Cause: "panicked"}}}, "mine: a call panicked"},
		{group{Subject: "mine", Property: checker.Passage, Violations: []*checker.Violation{{Cause: "key deleted while waiting"}}},
			"mine: a barrier let a client through: one was told so though its turn never came"},
		{group{Property: checker.Durability, Violations: []*checker.Violation{{Cause: "something new"}}}, "The store lost what it had acknowledged"},
		{group{Property: "new", Violations: []*checker.Violation{{}}}, "New is broken"},
	} {
		if len(test.group.Violations) == 0 {
			test.group.Violations = []*checker.Violation{{}}
		}
		if got := test.group.plainly(); got != test.want {
			t.Errorf("%q and not %q", got, test.want)
		}
	}
}
