//go:build !unix

package etcdbuild

import (
	"context"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// lock returns offspring.ErrUnsupported: nothing is built here.
func lock(context.Context, string, func()) (func(), error) { return nil, offspring.ErrUnsupported }
