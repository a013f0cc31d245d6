package members

import (
	"net"
	"testing"
)

// Addresses are free, this machine's, and all different.
func TestFreeAddresses(t *testing.T) {
	seen := make(map[string]bool)
	for range 50 {
		address := FreeAddress()
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if host, _, err := net.SplitHostPort(address); err != nil || !net.ParseIP(host).IsLoopback() || seen[address] {
			t.Errorf("%s, %v", address, err)
		}
		seen[address] = true
	}
}
