package netguard_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/etcd-holdfast/holdfast/internal/netguard"
)

// port is the one at which members are dialled.
const port = 2380

// What a guard cannot do, or does not say, is told with the member's name.
func TestGuardsThatAreNone(t *testing.T) {
	says := func(line string) netguard.Dial {
		return func(context.Context) (io.ReadWriteCloser, error) {
			here, there := net.Pipe()
			go func() {
				_, _ = io.WriteString(there, line+"\n")
				_ = there.Close()
			}()
			return here, nil
		}
	}
	silent := func(context.Context) (io.ReadWriteCloser, error) {
		here, there := net.Pipe()
		go func() { // who has nothing to say, until nobody listens
			_, _ = bufio.NewReader(there).ReadByte()
			_ = there.Close()
		}()
		return here, nil
	}
	for _, test := range []struct {
		name string
		dial netguard.Dial
		want string
	}{
		{"no process", func(context.Context) (io.ReadWriteCloser, error) { return nil, errors.New("no such container") }, "start it: no such container"},
		{"another program", says("exec: not found"), `it said "exec: not found"`},
		{"ends at once", says(""), "guard of m1"},
		{"cannot", says(`{"holdfast_netguard":1,"problem":"it needs CAP_NET_ADMIN"}`), "it needs CAP_NET_ADMIN"},
		{"another version", says(`{"holdfast_netguard":9}`), "version 9 of the protocol"},
		{"silent", silent, "it does not answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := netguard.NewNetwork(port)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := n.Add(ctx, "m1", netip.MustParseAddr("10.0.0.1"), test.dial)
			if err == nil || !strings.Contains(err.Error(), "guard of m1: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
			if err := n.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	n := netguard.NewNetwork(port)
	if err := n.Add(t.Context(), "m1", netip.MustParseAddr("::1"), silent); err == nil || !strings.Contains(err.Error(), "no IPv4 address") {
		t.Errorf("an address that is none: %v", err)
	}
}
