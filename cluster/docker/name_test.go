package docker

import (
	"net/netip"
	"strings"
	"testing"
)

// Names of runs become names that an engine takes, and no two are alike.
func TestNames(t *testing.T) {
	for run, want := range map[string]string{
		"20260102T030405Z-quick-7": "20260102T030405Z-quick-7-",
		"my run/ü":                 "my-run-",
		"..":                       "",
		"":                         "",
		strings.Repeat("x", 200):   strings.Repeat("x", 60) + "-",
	} {
		one, two := nameOf(run), nameOf(run)
		if !strings.HasPrefix(one, want) || len(one) != len(want)+6 || one == two {
			t.Errorf("%q became %q and %q", run, one, two)
		}
	}
	m := mark{run: "r"}
	if m.name("m1") != "holdfast-r-m1" || m.name("") != "holdfast-r" {
		t.Errorf("%q, %q", m.name("m1"), m.name(""))
	}
}

// A port is reached at the host at which it is published, and at another by any.
func TestWays(t *testing.T) {
	at := netip.MustParseAddrPort
	p := &pod{published: map[int][]netip.AddrPort{clientPort: {at("127.0.0.1:1001"), at("172.17.0.1:1002")}}}
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:1001", "localhost": "localhost:1001", "172.17.0.1": "172.17.0.1:1002", "10.0.0.9": "10.0.0.9:1001",
	} {
		if got := publishedAt(p, clientPort, host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	everywhere := &pod{published: map[int][]netip.AddrPort{clientPort: {at("0.0.0.0:1003")}}}
	if got := publishedAt(everywhere, clientPort, "engine.example"); got != "engine.example:1003" {
		t.Error(got)
	}
	if got := publishedAt(p, doorPort, "127.0.0.1"); got != "" {
		t.Errorf("what is not published is at %s", got)
	}
}

// The members' subnet is none in which this machine has an address.
func TestOverlaps(t *testing.T) {
	taken := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}
	for subnet, want := range map[string]bool{"10.3.4.0/24": true, "192.168.1.0/24": false} {
		if got := overlaps(netip.MustParsePrefix(subnet), taken); got != want {
			t.Errorf("%s: %t", subnet, got)
		}
	}
	m := meeting{subnet: netip.MustParsePrefix("10.3.4.0/24")}
	if m.addressOf(0) == m.addressOf(1) || !m.subnet.Contains(m.addressOf(4)) {
		t.Errorf("%s, %s", m.addressOf(0), m.addressOf(4))
	}
}
