package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/etcd-holdfast/holdfast/internal/printable"
)

// narrowest is how narrow a column of a table may become.
const narrowest = 12

// writeTable writes rows of as many cells each in columns, lineWidth wide at most: the
// widest columns are made narrower, and what does not fit into a cell goes on below.
// A word that is too long for its column stays whole if it is in the last one: a
// path is there to be copied.
func writeTable(w io.Writer, rows [][]string) error {
	widths := widthsOf(rows)
	var b strings.Builder
	for _, row := range rows {
		cells := make([][]string, len(row))
		height := 1
		for k, cell := range row {
			cells[k] = broken(cell, widths[k], k == len(row)-1)
			height = max(height, len(cells[k]))
		}
		for y := range height {
			line := ""
			for k := range cells {
				text := ""
				if y < len(cells[k]) {
					text = cells[k][y]
				}
				line += text + strings.Repeat(" ", max(0, widths[k]-utf8.RuneCountInString(text))+len(gap))
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// widthsOf are the widths of the columns.
func widthsOf(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for k, cell := range row {
			if k == len(widths) {
				widths = append(widths, 0)
			}
			widths[k] = max(widths[k], utf8.RuneCountInString(printable.Text(cell)))
		}
	}
	for {
		sum, widest := -len(gap), 0
		for k := range widths {
			sum += widths[k] + len(gap)
			if widths[k] > widths[widest] {
				widest = k
			}
		}
		if sum <= lineWidth || widths[widest] <= narrowest {
			return widths
		}
		widths[widest]--
	}
}

// broken are the lines of a cell.
func broken(cell string, width int, whole bool) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(printable.Text(cell)) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		for letters := []rune(word); !whole && len(letters) > width; letters = []rune(word) {
			lines, word = append(lines, string(letters[:width])), string(letters[width:])
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// paragraph writes a title and, indented, what is to be said of it and where to look.
func paragraph(w io.Writer, title, text string, paths []string) {
	fmt.Fprintf(w, "\n%s\n%s\n", wrapped(title, lineWidth), indent(text))
	for _, path := range paths {
		fmt.Fprintf(w, "  %s\n", path)
	}
}
