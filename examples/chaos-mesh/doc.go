// Package chaosmesh is hooks that drive Chaos Mesh: see its README. There is nothing
// in Go but the test.
package chaosmesh
