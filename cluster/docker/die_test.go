package docker_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// harness is the role of a process that starts a cluster and is killed.
const harness = "harness"

func beHarness() int {
	c, err := docker.Start(context.Background(), docker.Config{Config: members.Config{Members: 1}, Run: "killed"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("it is up")
	<-make(chan struct{}) // until it is killed
	return len(c.Members())
}

// What a harness leaves behind that is killed is found and removed; what belongs to
// one that lives is not among it.
func TestAKilledHarnessIsCleanedUpAfter(t *testing.T) {
	needEngine(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), offspring.RoleVariable+"="+harness)
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "it is up" {
		_ = cmd.Process.Kill()
		t.Fatalf("%q, %v", line, err)
	}
	if left := leftOf(t, "killed"); len(left) != 0 {
		t.Errorf("while it lives this counts as left behind: %v", left)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	left := leftOf(t, "killed")
	count := make(map[string]int)
	for _, l := range left {
		count[l.What]++
		if err := l.Remove(); err != nil {
			t.Error(err)
		}
		if err := l.Remove(); err != nil {
			t.Errorf("removed again: %v", err)
		}
	}
	if count["container"] != 2 || count["network"] != 1 || count["volume"] != 1 || len(left) != 4 {
		t.Errorf("left behind: %v", left)
	}
	if left := leftOf(t, "killed"); len(left) != 0 {
		t.Errorf("after all was removed there is %v", left)
	}
}

// leftOf is what a run has left behind.
func leftOf(t *testing.T, run string) (found []docker.Leftover) {
	t.Helper()
	all, err := docker.Leftovers(conform.Bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if strings.HasPrefix(l.Which, "holdfast-"+run) {
			found = append(found, l)
		}
	}
	return found
}
