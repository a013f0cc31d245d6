// Package browse shows all run directories below one directory as web pages: to
// sort and filter, to compare two, to see how a scenario has fared over time, and to
// open what a run has left.
//
// It reads and judges nothing but what is in run.json, verdict.json and
// scenario.yaml, and changes nothing. What is in a run directory was written by
// programs and servers under test, and the directory may come from somebody else:
// all of it counts as hostile. Pages have no scripts and load nothing from
// elsewhere, files of a run are served so that nothing in them is executed, and no
// path or symbolic link leads out of the run's directory.
//
// Whoever can connect can read everything below the directory. [Listen] therefore
// takes loopback addresses only, unless it is told otherwise, and [Handler] answers
// only requests whose Host header cannot come from a rebound name.
package browse
