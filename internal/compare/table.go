package main

import (
	"fmt"
	"strconv"
)

func header(model string) string {
	return fmt.Sprintf("**%s**\n\n| calls | unknown | history | holdfast | memory | witness | porcupine | memory | ratio |\n|---:|---:|---|---:|---:|---:|---:|---:|---:|", model)
}

func (r *row) markdown() string {
	kind := "valid"
	if r.Violated {
		kind = "one violation"
	}
	witness := ""
	if r.Ours.Witness > 0 {
		witness = plural(r.Ours.Witness)
	}
	return fmt.Sprintf("| %s | %v %% | %s | %s | %s | %s | %s | %s | %s |",
		thousands(r.Calls), r.Unknown*100, kind, r.Ours.time(), r.Ours.memory(), witness, r.Theirs.time(), r.Theirs.memory(), r.ratio())
}

func (m *measurement) time() string {
	switch {
	case m.Verdict == "":
		return m.Capped
	case m.Capped != "":
		return fmt.Sprintf("no verdict, %s after %s", m.Capped, duration(m.Seconds))
	}
	return fmt.Sprintf("%s, %s", m.Verdict, duration(m.Seconds))
}

func (m *measurement) memory() string {
	if m.Verdict == "" {
		return ""
	}
	return fmt.Sprintf("%.0f MB", float64(m.Bytes)/1e6)
}

// ratio is how many times longer porcupine took; where a cap ended it, at
// least that.
func (r *row) ratio() string {
	if r.Theirs.Verdict == "" || r.Ours.Seconds == 0 {
		return ""
	}
	text := fmt.Sprintf("%.0f×", r.Theirs.Seconds/r.Ours.Seconds)
	if r.Theirs.Capped != "" {
		return "> " + text
	}
	return text
}

func duration(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.2f ms", seconds*1000)
	}
	return fmt.Sprintf("%.1f s", seconds)
}

// thousands writes a number with its digits in groups.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func plural(calls int) string {
	if calls == 1 {
		return "1 call"
	}
	return fmt.Sprint(calls, " calls")
}
