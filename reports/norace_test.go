//go:build !race

package reports_test

const million = 1_000_000
