package holdfast

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/faults"
)

func TestMistakesInClustersOfProcessesAreNamed(t *testing.T) {
	const rest = "\nworkloads: [{subject: mutex, clients: 2}]\nduration: 2s\n"
	for cluster, wants := range map[string][]string{
		"{kind: embedded, etcd: 3.5.12, mixed: {m1: 3.5.12}, disk: 512MiB}": {
			"bad.yaml:2: cluster.etcd: it is of a cluster of kind process or docker, and this one is embedded", "cluster.mixed: it is of", "cluster.disk: it is of",
		},
		"{kind: sim, etcd: 3.5.12}": {"cluster.etcd: it is of a cluster of kind process or docker, and this one is sim"},
		"{kind: process, etcd: nowhere/etcd, mixed: {m4: '', bob: '', m2: /nothing}}": {
			`cluster.etcd: "nowhere/etcd" is neither a version such as 3.5.12 nor a program`, `cluster.mixed.m4: there is no member "m4"; there are m1 to m3`,
			`cluster.mixed.bob: there is no member "bob"`, `cluster.mixed.m2: "/nothing" is neither`,
		},
		// etcd 3.7 beside 3.5 ends with a panic.
		"{kind: process, mixed: {m2: 3.5.12}}":               {"cluster.mixed: m2 would run etcd 3.5.12 and the others etcd 3.7."},
		"{kind: process, etcd: 3.4.15, mixed: {m1: 3.6.12}}": {"members of one cluster may be one minor version apart"},
		"{kind: process, disk: much}":                        {`"much" is not a size such as 512MiB`},
		"{kind: process, sim: {delay: 3ms}}":                 {"cluster.sim: it is of a cluster of kind sim, and this one is process"},
	} {
		expectMistakes(t, cluster, rest, wants)
	}
	for _, cluster := range []string{"{kind: process, etcd: 3.6.12, mixed: {m2: 3.5.12}}", "{kind: process, mixed: {m2: 3.6.12}}", "{kind: process, etcd: 3.5.12}"} {
		s, err := ParseScenario("good.yaml", []byte("name: good\ncluster: "+cluster+rest))
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseScenario("again.yaml", text)
		if err != nil || again.Cluster.Etcd != s.Cluster.Etcd || again.Cluster.Mixed["m2"] != s.Cluster.Mixed["m2"] {
			t.Errorf("%+v became %+v, %v", s.Cluster, again.Cluster, err)
		}
	}
}

// What a fault's refusal says of who has what it needs is true of all kinds of
// cluster.
func TestRefusalsNameWhoHasIt(t *testing.T) {
	able := make(map[string]faults.Capabilities)
	for _, kind := range ClusterKinds() {
		s := NewScenario("any")
		s.Cluster.Kind, s.Cluster.Fsync, s.Cluster.Disk = kind, true, 512<<20
		s.Complete()
		b, _ := backendOf(kind)
		can := b.capabilities(s.Cluster)
		can.NoSlowDisk, can.NoFullDisk, can.NoPacketDelay = nil, nil, nil // this machine is not asked
		can.NoMove, can.Members = nil, 3                                  // it is allowed, and who runs it has as many
		able[kind] = can
	}
	for _, k := range faults.Kinds() {
		err := k.Unsupported(faults.Capabilities{Kind: "bare", Members: 3, Fsync: true})
		if err == nil || k.Name == "pause-client" {
			continue // it needs nothing of a cluster; or the clients decide
		}
		for kind, can := range able {
			has := true
			for _, line := range strings.Split(err.Error(), "\n") {
				_, who, _ := strings.Cut(line, "(")
				has = has && strings.Contains(who, kind)
			}
			if could := k.Unsupported(can) == nil; could != has {
				t.Errorf("a cluster of kind %s can have %s: %t; it is told: %v", kind, k.Name, could, err)
			}
		}
	}
}

func TestFaultsThatAClusterOfProcessesCannotHaveAsItIsSetUp(t *testing.T) {
	for _, test := range []struct{ fault, want string }{
		{"slow-disk", "say fsync: true in cluster"},
		{"kill-under-load", "say fsync: true in cluster"},
	} {
		_, err := BuiltinScenario("calm", "cluster.kind=process", "faults=[{of: ["+test.fault+"]}]")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.fault, err, test.want)
		}
	}
	if process.OwnDisks() == nil {
		_, err := BuiltinScenario("calm", "cluster.kind=process", "faults=[{of: [full-disk]}]")
		if err == nil || !strings.Contains(err.Error(), "say disk: 512MiB in cluster") {
			t.Errorf("full-disk: got %v", err)
		}
	}
	_, err := BuiltinScenario("calm", "faults=[{of: [pause-member]}]")
	if err == nil || !strings.Contains(err.Error(), "which a cluster of kind embedded does not have (process and docker have)") {
		t.Errorf("pause-member of an embedded cluster: %v", err)
	}
}

// A whole run on members that are processes, which are stopped and restarted.
func TestARunOnProcesses(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes as long as its load")
	}
	s := NewScenario("processes-in-short")
	s.Seed, s.Duration = 7, 11*time.Second
	s.Cluster.Kind = processes
	s.Workloads = []Workload{NewWorkload("mutex")}
	at := func(d time.Duration) *time.Duration { return &d }
	// A member that comes back late on a busy machine is back before the next is hit.
	for i, kind := range []string{"pause-leader", "restart-member", "crash-member"} {
		f := Fault{At: at(time.Duration(i)*4*time.Second + 200*time.Millisecond), Of: []string{kind}}
		f.For.Min, f.For.Max = time.Second, time.Second
		s.Faults = append(s.Faults, f)
	}
	j, err := Run(context.Background(), s, RunOptions{Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if v := j.Result().Verdict; v == checker.Violated {
		t.Errorf("%v", v)
	}
	var verified []string
	for _, f := range j.Report.History.Faults {
		if f.Verified {
			verified = append(verified, f.Kind)
		}
	}
	slices.Sort(verified)
	if !slices.Equal(verified, []string{"crash-member", "pause-leader", "restart-member"}) {
		t.Errorf("proved: %q", verified)
	}
	var info Info
	text, err := os.ReadFile(filepath.Join(j.Directory, InfoFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	if info.Cluster != processes || info.Ended != EndedComplete || len(info.Warnings) != 0 {
		t.Errorf("%+v", info)
	}
	if _, err := os.Stat(filepath.Join(j.Directory, "data")); !os.IsNotExist(err) {
		t.Errorf("the members' data: %v", err)
	}
	for _, member := range []string{"m1", "m2", "m3"} {
		if info, err := os.Stat(filepath.Join(j.Directory, "members", member+".log")); err != nil || info.Size() == 0 {
			t.Errorf("the log of %s: %v", member, err)
		}
	}
}
