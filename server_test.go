package holdfast

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/checker"
	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
)

// Each row names one defect, on a subject of etcd's, a version that has it and one
// in which it is mended.
func TestEveryRowOfTheServerCatalogueIsComplete(t *testing.T) {
	issues := make(map[string]bool)
	for _, k := range checker.KnownIssues() {
		issues[k.Issue] = true
	}
	names := ServerScenarios()
	if len(names) == 0 {
		t.Fatal("the catalogue is empty")
	}
	for _, name := range names {
		s, err := BuiltinScenario(name)
		if err != nil {
			t.Fatal(err)
		}
		row := upstreamRow(&s)
		if row.Name == "" || row.Mechanism == "" || !issues[row.Known] || !strings.HasPrefix(row.Known, "etcd#") {
			t.Errorf("%s: %+v", name, row)
		}
		if subject, _ := s.subject(row.Subject); subject.Origin != history.FromEtcd {
			t.Errorf("%s shows its defect on %s, which is of %s", name, row.Subject, subject.Origin)
		}
		if !etcdbuild.IsVersion(s.Cluster.Etcd) || !etcdbuild.IsVersion(s.Expect.Fixed) || s.Cluster.Etcd == s.Expect.Fixed {
			t.Errorf("%s: %q is mended in %q", name, s.Cluster.Etcd, s.Expect.Fixed)
		}
		bad, fixed := s.Cluster.Etcd, s.Expect.Fixed
		mended := s
		mended.mend()
		if mended.Cluster.Etcd != fixed || mended.Expect.Reproduces != nil || len(*mended.Expect.Known) != 0 || s.Cluster.Etcd != bad || s.Expect.Reproduces == nil {
			t.Errorf("%s, mended: %+v, and itself: %+v", name, mended, s)
		}
		if err := mended.Validate(); err != nil {
			t.Errorf("%s, mended: %v", name, err)
		}
	}
}

func TestWhereADefectIsMendedIsChecked(t *testing.T) {
	for expect, says := range map[string]string{
		"{reproduces: {mutex: [etcd#14370]}, fixed: 3.5.5}": "",
		"{reproduces: {mutex: [etcd#14370]}, fixed: later}": "expect.fixed: \"later\" is no version of etcd",
		"{fixed: 3.5.5}": "expect.fixed: it is for what expect.reproduces names",
	} {
		_, err := ParseScenario("x.yaml", []byte("name: x\nworkloads: [{subject: mutex}]\ncluster: {kind: process, etcd: 3.5.4}\nexpect: "+expect+"\n"))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", expect, err, says)
		}
	}
}

func TestServerScenariosAreBuiltIn(t *testing.T) {
	for _, name := range []string{"server/single-member-loses-writes", "server/stalled-leader-revokes", "server/watch-misses-deletion", "server/v3lock-lost-lease"} {
		if !slices.Contains(ServerScenarios(), name) {
			t.Errorf("%s is not there", name)
		}
	}
}
