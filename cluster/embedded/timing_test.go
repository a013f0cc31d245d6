package embedded

import (
	"context"
	"testing"
	"time"
	"fmt"
	"sort"
)

func TestTimingX(t *testing.T) {
	all := map[string][]time.Duration{}
	rec := func(k string, f func() error) {
		t0 := time.Now()
		if err := f(); err != nil { t.Error(k, err) }
		all[k] = append(all[k], time.Since(t0))
	}
	ctx := context.Background()
	for i := 0; i < 25; i++ {
		var c *Cluster
		dir := t.TempDir()
		rec("start", func() (err error) { c, err = Start(ctx, Config{LogDirectory: dir}); return })
		for _, wait := range []time.Duration{0, 300*time.Millisecond, 1500*time.Millisecond} {
			lead := agreedLeader(t, c, c.Members()...)
			rec("crash", func() error { return c.Crash(ctx, lead) })
			time.Sleep(wait)
			rec(fmt.Sprint("restart leader after ", wait), func() error { return c.Restart(ctx, lead) })
			if l := all[fmt.Sprint("restart leader after ", wait)]; l[len(l)-1] > 3*time.Second { fmt.Println("slow", i, wait, lead); }
			lead = agreedLeader(t, c, c.Members()...)
			f := others(c, lead)[0]
			rec("crash", func() error { return c.Crash(ctx, f) })
			time.Sleep(wait)
			rec(fmt.Sprint("restart follower after ", wait), func() error { return c.Restart(ctx, f) })
			if l := all[fmt.Sprint("restart follower after ", wait)]; l[len(l)-1] > 3*time.Second { fmt.Println("slow f", i, wait, f, lead); }
		}
		rec("close", c.Close)
	}
	for k, d := range all {
		sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
		fmt.Printf("%-35s n=%d min %v med %v p90 %v max %v\n", k, len(d), d[0], d[len(d)/2], d[len(d)*9/10], d[len(d)-1])
	}
}
