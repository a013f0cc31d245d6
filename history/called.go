package history

import "strings"

// Called writes the name of an object in a sentence: one that is a number as #3, so
// that nobody takes it for a count, and others as they are.
func Called(name string) string {
	if isNumber(name) {
		return "#" + name
	}
	return name
}

// Called names a process in a sentence: "process 3" if it has only a number, as in
// histories of Jepsen's, else its name.
func (t *Trace) Called(process int32) string {
	name := t.Processes[process]
	if isNumber(name) {
		return "process " + name
	}
	return name
}

func isNumber(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}
