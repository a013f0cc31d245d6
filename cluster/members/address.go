package members

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FreeAddress is one at which nobody listens, and nobody will: of all hosts in
// 127.0.0.0/8, which are this machine's, any. Where only 127.0.0.1 is, it is an
// address that was free a moment ago.
func FreeAddress() string {
	for range 10 {
		host := fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
		if address, ok := free(host); ok {
			return address
		}
	}
	address, _ := free("127.0.0.1:0")
	return address
}

func free(host string) (string, bool) {
	l, err := net.Listen("tcp", host)
	if err != nil {
		return host, false
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), true
}
