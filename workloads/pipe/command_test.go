package pipe

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What a client's programs write on standard error is kept, one program's after the
// other's, with the time on the clock of the run.
func TestLogsOfProgramsHaveTimes(t *testing.T) {
	c := command(t, `echo "no lock" >&2; read line; echo '{"id":1,"ok":true}'; cat >/dev/null`)
	clock := 1500 * time.Millisecond
	c.Logs, c.Now = filepath.Join(t.TempDir(), "programs"), func() time.Duration { return clock }
	for range 2 {
		p, err := c.Start(t.Context(), attachment)
		if err != nil {
			t.Fatal(err)
		}
		p.Kill()
		p.finished.Wait()
		clock = 2 * time.Second
	}
	const want = "    1.500000 no lock\n    2.000000 no lock\n"
	if text, err := os.ReadFile(filepath.Join(c.Logs, "c1.log")); err != nil || string(text) != want {
		t.Errorf("the log is %q, %v; want %q", text, err, want)
	}
}
