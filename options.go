package holdfast

// RunOptions are what a run needs besides its scenario. The zero value works.
type RunOptions struct {
	// Out is the directory below which the run directory is made; "" is "runs".
	Out string
	// Argv is recorded as how the run was started.
	Argv []string
	// Strict judges strictly whatever the scenario says.
	Strict bool
	// Progress, if set, is told in plain words what the run is doing. It is
	// called from several goroutines, one call at a time.
	Progress func(line string)
	// Status, if set, is told a few times a second how the run stands, one call at a
	// time; Progress then is not told every few seconds. It must be quick.
	Status func(Status)
}
