package offspring_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// harness is the role of a process that starts others and is then killed.
const harness = "test-harness"

func TestMain(m *testing.M) {
	switch offspring.Role() {
	case offspring.Keeper:
		os.Exit(offspring.Keep())
	case harness:
		os.Exit(beHarness())
	case "sleeper":
		<-time.After(time.Hour)
	case "echo":
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			fmt.Println(in.Text())
		}
		os.Exit(7)
	}
	goleak.VerifyTestMain(m)
}

// beHarness starts one process of each kind, prints their ids, and waits to be
// killed.
func beHarness() int {
	parent, err := offspring.NewParent()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	own, err := parent.Start(offspring.Command{Name: "sleeper", Role: "sleeper", Argv: []string{"sleeper"}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	foreign, err := parent.Start(offspring.Command{Name: "sleep", Argv: []string{"sleep", "1000"}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	tree, err := startTree(parent)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", own.PID(), foreign.PID(), strings.Join(tree.pids, " "))
	<-time.After(time.Hour)
	return 1
}

// tree is a shell that has started another, which has started sleeps, one of
// them in a session of its own, and told their ids.
type tree struct {
	*offspring.Process
	pids []string
}

const treeScript = `sh -c 'sleep 1000 & echo $!; setsid sleep 1000 & echo $!; wait' & echo $$ $!; wait`

func startTree(parent *offspring.Parent) (*tree, error) {
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	p, err := parent.Start(offspring.Command{Name: "tree", Argv: []string{"sh", "-c", treeScript}, Stdout: theirs, Tree: true})
	_ = theirs.Close()
	if err != nil {
		return nil, err
	}
	t := &tree{Process: p}
	for in := bufio.NewScanner(out); len(t.pids) < 4 && in.Scan(); {
		t.pids = append(t.pids, strings.Fields(in.Text())...)
	}
	return t, nil
}

func ints(t *testing.T, texts []string) []int {
	t.Helper()
	var all []int
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// run starts this test program as a harness, outside of any parent.
func run(t *testing.T) (*exec.Cmd, []int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOLDFAST_ROLE="+harness)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // where the test has not
	line, err := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) < 7 || fields[0] != "started" {
		t.Fatalf("the harness said %q, %v", line, err)
	}
	return cmd, ints(t, fields[1:])
}
