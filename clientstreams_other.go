//go:build !linux

package holdfast

import (
	"os"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// takeStandardStreams returns ErrUnsupported: containers run Linux.
func takeStandardStreams() (in, out *os.File, err error) { return nil, nil, offspring.ErrUnsupported }
