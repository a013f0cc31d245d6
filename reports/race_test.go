//go:build race

package reports_test

// million operations, under the race detector: it is slow, and the pages'
// sizes are the business of the plain tests.
const million = 100_000
