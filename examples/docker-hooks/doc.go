// Package dockerhooks is hooks that drive docker: see its README. There is nothing in
// Go but the test.
package dockerhooks
