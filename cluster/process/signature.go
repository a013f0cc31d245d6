package process

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"
)

// An etcd binary has no flag for the server name that it asks for when it dials its
// peers, by which links recognise members; but which cipher suites of TLS 1.2 it
// offers can be chosen. So each member has its own. They are never used: all members
// speak TLS 1.3, whose suites cannot be chosen, and sharedSuite is there for who
// does not.
const sharedSuite = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256

// ownSuites are for the members in their order, one each.
func ownSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// suitesOf are the suites that a member offers.
func suitesOf(members []string, member string) []uint16 {
	return []uint16{sharedSuite, ownSuites()[slices.Index(members, member)]}
}

func suiteNames(suites []uint16) []string {
	var names []string
	for _, s := range suites {
		names = append(names, tls.CipherSuiteName(s))
	}
	return names
}

// recognise tells the links who offers what.
func (c *Cluster) recognise() {
	for _, member := range c.Members() {
		if c.config.binaryOf(member) != "" {
			c.Network().Recognise(member, suitesOf(c.Members(), member))
		}
	}
}

// recognitionPatience is how long members that serve may take to have dialled each
// other. They do at once, and again and again.
const recognitionPatience = 10 * time.Second

// recognised waits until every member has dialled every other over the link of the
// two. Where that does not happen no fault could be imposed between single members.
func (c *Cluster) recognised(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recognitionPatience)
	defer cancel()
	ticker := time.NewTicker(askPause)
	defer ticker.Stop()
	for {
		from, to := c.unheard()
		if from == "" {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			binary := c.config.binaryOf(from)
			if binary == "" {
				binary = "this program"
			}
			return fmt.Errorf("%s (%s) was not recognised when it dialled %s, and %d connections came from nobody knows whom; a binary is recognised by its --cipher-suites, take one that heeds them",
				from, binary, to, c.Network().Strangers())
		}
	}
}

// unheard are two members of which the first has not been seen to dial the second,
// or "".
func (c *Cluster) unheard() (from, to string) {
	for _, from := range c.Members() {
		for _, to := range c.Members() {
			if from != to && c.Network().Link(from, to).Stats().Accepted == 0 {
				return from, to
			}
		}
	}
	return "", ""
}

// accepts is true if somebody accepts connections at an address.
func accepts(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
