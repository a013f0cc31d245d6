// Package reports turns the result of a run into bytes: a table for a
// terminal, verdict.json for a machine, and one self-contained page for the
// person who has to find out what went wrong.
//
// Every function here is pure: the same [Report] gives the same bytes, and
// nothing is read but the report. What is in it was written by clients and
// servers under test, so every string counts as hostile: none can break out of
// the page or drive the terminal.
package reports
