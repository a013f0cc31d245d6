package main

import (
	"context"

	"github.com/etcd-holdfast/holdfast"
)

// piped is the scenario under which a program is put to the test: one made for
// it, or the named one with the program in place of its subjects.
func piped(ctx context.Context, program string, args []string) ([]byte, error) {
	if len(args) == 0 {
		s, err := holdfast.PipeScenario(ctx, program)
		if err != nil {
			return nil, err
		}
		return s.YAML()
	}
	s, err := loadScenario(args[0], nil)
	if err != nil {
		return nil, err
	}
	if s, err = s.WithPipe(ctx, program); err != nil {
		return nil, err
	}
	return s.YAML()
}
