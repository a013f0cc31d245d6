package holdfast

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// memberPID is the process of a member that this process has started, any of them.
func memberPID(t *testing.T) int {
	t.Helper()
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environs {
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "status")) // it may be gone
		environ, _ := os.ReadFile(path)
		if strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) &&
			strings.Contains("\x00"+string(environ), "\x00"+offspring.RoleVariable+"="+process.Role+"\x00") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("no member is a process of this one")
	return 0
}

// A member that somebody else kills is told of at once, and makes the run unknown; one
// that a fault kills is not.
func TestAMemberThatSomebodyElseKills(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as its load")
	}
	for _, killed := range []bool{true, false} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			s := NewScenario("bereft")
			s.Duration = 4 * time.Second
			s.Cluster.Kind = processes
			s.Workloads = []Workload{NewWorkload("mutex")}
			at, span := 2*time.Second, quantity.Span{Min: time.Second, Max: time.Second}
			s.Faults = []Fault{{Of: []string{"move-leader"}, At: &at, For: span}}
			if !killed {
				s.Faults[0].Of = []string{"restart-member"}
				early := 100 * time.Millisecond
				s.Faults = append(s.Faults, Fault{Of: []string{"crash-member"}, At: &early, For: span})
			}
			var story strings.Builder
			j, err := Run(t.Context(), s, RunOptions{Out: t.TempDir(), Progress: func(line string) {
				story.WriteString(line + "\n")
				if killed && strings.HasPrefix(line, "load for ") {
					if err := syscall.Kill(memberPID(t), syscall.SIGKILL); err != nil {
						t.Error(err)
					}
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			ended := 0
			for _, e := range j.Report.History.Events {
				if e.Kind == history.Ended {
					ended++
				}
			}
			const tells = "has ended, and holdfast did not end it: its process has ended: signal: killed"
			notes := strings.Join(j.Report.Result.Notes, "\n")
			switch told := strings.Count(story.String(), tells); {
			case killed && (ended != 1 || told != 1 || !strings.Contains(story.String(), "warning: member m")):
				t.Errorf("it was recorded %d times and told %d times:\n%s", ended, told, &story)
			case !killed && (ended != 0 || told != 0):
				t.Errorf("members that faults ended were taken for others: %d, %d:\n%s", ended, told, &story)
			}
			if strings.Contains(notes, "holdfast had not ended it") != killed || killed && j.Report.Result.Verdict != checker.Unknown {
				t.Errorf("the verdict is %s, with notes %q", j.Report.Result.Verdict, j.Report.Result.Notes)
			}
		})
	}
}
