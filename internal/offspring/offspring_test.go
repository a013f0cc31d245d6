//go:build linux

package offspring_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

func newParent(t *testing.T) *offspring.Parent {
	t.Helper()
	p, err := offspring.NewParent()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// state is the letter of /proc for a process, or "" if it has ended.
func state(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	s := string(text[strings.LastIndexByte(string(text), ')')+2:][:1])
	if s == "Z" || s == "X" {
		return ""
	}
	return s
}

// awaitState waits until a process is in a state.
func awaitState(t *testing.T, pid int, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); state(pid) != want; {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is in state %q, not %q", pid, state(pid), want)
		}
		<-time.After(time.Millisecond)
	}
}

func TestProcessSpeaksAndSaysHowItEnded(t *testing.T) {
	p := newParent(t)
	in, give, _ := os.Pipe()
	take, out, _ := os.Pipe()
	defer take.Close()
	c, err := p.Start(offspring.Command{Name: "echo", Role: "echo", Argv: []string{"echo", "for people"}, Stdin: in, Stdout: out})
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	fmt.Fprintln(give, "hello")
	line, err := bufio.NewReader(take).ReadString('\n')
	if err != nil || line != "hello\n" {
		t.Errorf("it said %q, %v", line, err)
	}
	give.Close()
	<-c.Done()
	var exit *exec.ExitError
	if !errors.As(c.Err(), &exit) || exit.ExitCode() != 7 {
		t.Errorf("it ended with %v, not with exit code 7", c.Err())
	}
}

// What a program has started dies with it, and with the harness's kill, wherever
// in the tree it is.
func TestKilledTreeIsKilledWhole(t *testing.T) {
	p := newParent(t)
	tree, err := startTree(p)
	if err != nil {
		t.Fatal(err)
	}
	pids := ints(t, tree.pids)
	if len(pids) != 4 || !slices.Contains(pids, tree.PID()) {
		t.Fatalf("the tree told %v, and its program is %d", pids, tree.PID())
	}
	if err := tree.Kill(); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		awaitState(t, pid, "")
	}
}

func TestEndedProgramLeavesNothing(t *testing.T) {
	p := newParent(t)
	take, out, _ := os.Pipe()
	defer take.Close()
	c, err := p.Start(offspring.Command{Name: "short", Argv: []string{"sh", "-c", "sleep 1000 >/dev/null & echo $!; exit 3"}, Stdout: out, Tree: true})
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(take) // which ends with the program, not with its keeper
	if err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	var exit *exec.ExitError
	if !errors.As(c.Err(), &exit) || exit.ExitCode() != 3 {
		t.Errorf("it ended with %v, not with exit code 3", c.Err())
	}
	for _, pid := range ints(t, strings.Fields(string(said))) {
		awaitState(t, pid, "")
	}
}

// Who is born while its parent ends is not overlooked.
func TestProgramThatEndsAtOnceLeavesNothing(t *testing.T) {
	parent := newParent(t)
	var born []int
	for range 60 {
		out, theirs, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p, err := parent.Start(offspring.Command{Name: "shell", Tree: true, Argv: []string{"sh", "-c", "sleep 1000 & echo $!"}, Stdout: theirs})
		_ = theirs.Close()
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		_ = out.Close()
		born = append(born, ints(t, strings.Fields(line))...)
		<-p.Done()
	}
	for _, pid := range born {
		if s := state(pid); s != "" {
			t.Errorf("process %d lives, in state %s", pid, s)
		}
	}
}

func TestProgramThatIsNotThere(t *testing.T) {
	p := newParent(t)
	for _, tree := range []bool{false, true} {
		_, err := p.Start(offspring.Command{Name: "client c1", Argv: []string{"no-such-program"}, Tree: tree})
		if err == nil || !strings.Contains(err.Error(), "client c1") || !strings.Contains(err.Error(), "no-such-program") {
			t.Errorf("tree %t: %v", tree, err)
		}
		_, err = p.Start(offspring.Command{Name: "client c1", Argv: []string{"sh"}, Dir: "/no/such/directory", Tree: tree})
		if err == nil || !strings.Contains(err.Error(), "/no/such/directory") {
			t.Errorf("tree %t: %v", tree, err)
		}
	}
}

func TestFrozenProcessStandsUntilItIsThawed(t *testing.T) {
	p := newParent(t)
	busy, err := p.Start(offspring.Command{Name: "busy", Argv: []string{"sh", "-c", "while :; do :; done"}})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := startTree(p)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*offspring.Process{"busy": busy, "tree": tree.Process} {
		f, err := c.Freeze(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if stands, evidence := f.Evidence(); !stands || !strings.Contains(evidence, "state T") {
			t.Errorf("%s: stands is %t: %s", name, stands, evidence)
		}
		if name == "tree" {
			for _, pid := range ints(t, tree.pids) {
				if s := state(pid); s != "T" {
					t.Errorf("%d of the tree is in state %q", pid, s)
				}
			}
		}
		f.Thaw()
		for deadline := time.Now().Add(20 * time.Second); ; {
			stands, evidence := f.Evidence()
			if !stands {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s was thawed, and stands: %s", name, evidence)
			}
		}
		if err := c.Kill(); err != nil {
			t.Error(err)
		}
		if stands, evidence := f.Evidence(); stands {
			t.Errorf("%s is dead, and stands: %s", name, evidence)
		}
		if _, err := c.Freeze(context.Background()); err == nil {
			t.Errorf("%s is dead, and was frozen", name)
		}
	}
}

// SIGKILL ends a process that stands, too.
// A shell that starts one program after another by vfork cannot stand while a child
// that was stopped keeps it from going on.
func TestFreezeInTheMiddleOfAVfork(t *testing.T) {
	p, err := newParent(t).Start(offspring.Command{Name: "shell", Tree: true, Argv: []string{"sh", "-c", "while :; do /bin/true; done"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		still, err := p.Freeze(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if stands, evidence := still.Evidence(); !stands {
			t.Errorf("it does not stand: %s", evidence)
		}
		still.Thaw()
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
}

func TestFrozenProcessCanBeKilled(t *testing.T) {
	p := newParent(t)
	tree, err := startTree(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Freeze(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := tree.Kill(); err != nil {
		t.Error(err)
	}
	for _, pid := range ints(t, tree.pids) {
		awaitState(t, pid, "")
	}
}

func TestStopAsksFirst(t *testing.T) {
	p := newParent(t)
	// Each says when it is ready to be asked.
	for script, want := range map[string]bool{
		"trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done": true,
		"trap '' TERM; echo ready; while :; do sleep 0.01; done":       false,
	} {
		take, out, _ := os.Pipe()
		c, err := p.Start(offspring.Command{Name: "asked", Argv: []string{"sh", "-c", script}, Stdout: out, Tree: true})
		out.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(take).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		take.Close()
		patience := time.Minute
		if !want {
			patience = 50 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		byItself, err := c.Stop(ctx)
		cancel()
		if err != nil || byItself != want {
			t.Errorf("%s: ended by itself is %t, %v", script, byItself, err)
		}
	}
}

func TestCloseKillsAll(t *testing.T) {
	p, err := offspring.NewParent()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := startTree(p)
	if err != nil {
		t.Fatal(err)
	}
	own, err := p.Start(offspring.Command{Name: "sleeper", Role: "sleeper"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for _, pid := range append(ints(t, tree.pids), own.PID()) {
		awaitState(t, pid, "")
	}
	if _, err := p.Start(offspring.Command{Name: "late", Argv: []string{"true"}}); err == nil {
		t.Error("a closed parent has started a process")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A harness that is killed with SIGKILL takes all that it started along, also
// what stands.
func TestDeadHarnessLeavesNothing(t *testing.T) {
	cmd, pids := run(t)
	for _, pid := range pids {
		if state(pid) == "" {
			t.Fatalf("%d was dead before", pid)
		}
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for _, pid := range pids {
		awaitState(t, pid, "")
	}
}

// What outlives its harness all the same is found by its mark.
func TestLeftoversAreFoundAndRemoved(t *testing.T) {
	cmd, pids := run(t)
	mark := ""
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pids[0]))
	if err != nil {
		t.Fatal(err)
	}
	for entry := range strings.SplitSeq(string(environ), "\x00") {
		if strings.HasPrefix(entry, "HOLDFAST_HARNESS=") {
			mark = entry
		}
	}
	// Nothing kills this one: it was started by somebody else with that mark.
	orphan := exec.Command("sleep", "1000")
	orphan.Env = append(os.Environ(), mark)
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = orphan.Process.Kill(); _ = orphan.Wait() }()
	found := func() bool {
		left, err := offspring.Leftovers()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(left, func(l offspring.Leftover) bool { return l.PID == orphan.Process.Pid })
		if i < 0 {
			return false
		}
		if l := left[i]; l.Harness != cmd.Process.Pid || l.Command != "sleep 1000" {
			t.Errorf("it was found as %+v", l)
		}
		return true
	}
	awaitState(t, orphan.Process.Pid, "S")
	if found() {
		t.Error("its harness lives, and it was taken for left over")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	if !found() {
		t.Error("its harness is dead, and it was not found")
	}
	left, _ := offspring.Leftovers()
	for _, l := range left {
		if l.PID == orphan.Process.Pid {
			if err := l.Remove(); err != nil {
				t.Error(err)
			}
		}
	}
	awaitState(t, orphan.Process.Pid, "")
}
