package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// harness is the role of a process that has a cluster, and is killed.
const harness = "test-harness"

// beHarness starts clusters, one after another, until it is killed.
func beHarness() int {
	for {
		fmt.Println("starting")
		c, err := process.Start(context.Background(), process.Config{Binaries: map[string]string{"m2": os.Args[1]}})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("serving")
		if err := c.Close(); err != nil {
			fmt.Println(err)
			return 1
		}
	}
}

// However a harness dies, and whenever, its members die.
func TestMembersDieWithTheirHarness(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 8 {
		after := time.Duration(random.Int64N(int64(1200 * time.Millisecond)))
		cmd := exec.Command(self(t), self(t))
		cmd.Env = append(os.Environ(), "HOLDFAST_ROLE="+harness, "TMPDIR="+t.TempDir())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "starting" {
			t.Fatalf("the harness says %q", lines.Text())
		}
		timer := time.NewTimer(after) // the moment is what is random
		<-timer.C
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		conform.Eventually(t, fmt.Sprintf("nothing is left of the harness killed after %v", after), func() bool {
			return len(leftovers(t, cmd.Process.Pid)) == 0
		})
	}
}

func leftovers(t *testing.T, harness int) (found []offspring.Leftover) {
	t.Helper()
	all, err := offspring.Leftovers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if l.Harness == harness {
			found = append(found, l)
		}
	}
	return found
}

// A member that dies by itself is not running, and its cluster says what is known of why.
func TestAMemberThatIsKilledByAnother(t *testing.T) {
	c := start(t, process.Config{})
	pid, err := c.PID("m2")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	conform.Eventually(t, "it is seen to be dead", func() bool { return !conform.Status(c, "m2").Running })
	if err := c.Restart(conform.Bounded(t), "m2"); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("restart of a member that was not crashed: %v", err)
	}
	if err := c.Crash(conform.Bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(conform.Bounded(t), "m2"); err != nil {
		t.Fatal(err)
	}
	if now, err := c.PID("m2"); err != nil || now == pid {
		t.Errorf("it runs as process %d again, %v", now, err)
	}
}
