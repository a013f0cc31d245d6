package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/etcd-holdfast/holdfast"
)

func TestMain(m *testing.M) {
	if code, handled := holdfast.Subprocess(context.Background()); handled {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){
		"holdfast":         func() { os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
		"holdfast-signals": main,
	})
}

// Each file in testdata shows one behaviour of the command line.
func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"until": until,

			"killcluster": killCluster,
		},
		Setup: ownCluster,
	})
}
