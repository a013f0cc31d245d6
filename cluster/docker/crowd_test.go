package docker_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/cluster/internal/conform"
)

// echo is the role of a container that says again what it is told.
const echo = "test-echo"

func beEcho() int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println(in.Text())
		fmt.Fprintln(os.Stderr, "said", in.Text())
	}
	return 7
}

// Who is of a crowd is spoken to, stands still when it is told to, dies when it is
// killed, and says how it ended. Nothing is left of it.
func TestCrowd(t *testing.T) {
	needEngine(t)
	ctx := conform.Bounded(t)
	crowd, err := docker.NewCrowd(ctx, "crowd", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	launch := func(name string) (*docker.Person, *bufio.Reader) {
		t.Helper()
		p, err := crowd.Launch(ctx, name, echo, log)
		if err != nil {
			t.Fatal(err)
		}
		return p, bufio.NewReader(p.Conn())
	}
	speak := func(p *docker.Person, answers *bufio.Reader, word string) {
		t.Helper()
		if _, err := fmt.Fprintln(p.Conn(), word); err != nil {
			t.Fatal(err)
		}
		if line, err := answers.ReadString('\n'); err != nil || line != word+"\n" {
			t.Fatalf("it said %q, %v", line, err)
		}
	}
	killed, itsAnswers := launch("c1")
	other, answers := launch("c2")
	speak(killed, itsAnswers, "one")
	speak(other, answers, "two")

	frozen, err := killed.Freeze(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stands, evidence := frozen.Evidence(); !stands || !strings.Contains(evidence, "paused") {
		t.Errorf("it does not stand: %s", evidence)
	}
	frozen.Thaw()
	if stands, evidence := frozen.Evidence(); stands {
		t.Errorf("it stands: %s", evidence)
	}
	speak(killed, itsAnswers, "three")

	if err := killed.Kill(); err != nil {
		t.Fatal(err)
	}
	if how := killed.How(); !killed.Killed() || how != "signal 9" {
		t.Errorf("it was killed, and ended by %s", how)
	}
	speak(other, answers, "four")
	if err := killed.Conn().Close(); err != nil {
		t.Error(err)
	}
	if err := other.Conn().Close(); err != nil {
		t.Error(err)
	}
	if how := other.How(); other.Killed() || how != "exit status 7" {
		t.Errorf("its input ended, and it by %s", how)
	}
	if err := crowd.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(log.Name()); err != nil || !strings.Contains(string(text), "said three") {
		t.Errorf("its log is %q, %v", text, err)
	}
	if _, err := crowd.Launch(ctx, "c3", echo, log); err == nil {
		t.Error("a crowd that is closed starts another")
	}
}
