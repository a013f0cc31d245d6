package reports

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"strings"
)

//go:embed script/*.js
var scriptFiles embed.FS

// script is the page's code. It does without: a page whose script is not run has
// everything as tables and still pictures.
var script = readScript()

func readScript() string {
	var b strings.Builder
	b.WriteString("'use strict';\n")
	for _, name := range []string{"data", "timeline", "overview", "lists", "start"} {
		content, err := scriptFiles.ReadFile("script/" + name + ".js")
		if err != nil {
			panic(err) // it is embedded
		}
		b.Write(content)
	}
	return b.String()
}

// policy lets the page run the one script that it has, use the styles that it
// has, and load nothing.
var policy = func() string {
	sum := sha256.Sum256([]byte(script))
	return fmt.Sprintf("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:]))
}()

const (
	// roomForAll is how large a page becomes at most, but for what has no bound:
	// the scenario's text. roomForData is how much of that its scripts' data take.
	roomForAll  = 5<<20 - 1<<17
	roomForData = 2 << 20
)

// interactive is what ends the page: the data that its scripts work on, and the
// scripts. The data are in base64, in which nothing can end an element.
func interactive(e *explorer, used int) (string, error) {
	data, err := e.pack(min(roomForData, roomForAll-used-len(script)))
	if err != nil {
		return "", err
	}
	if data != "" {
		data = `<template id="data">` + data + "</template>\n"
	}
	return data + "<script>" + script + "</script>\n</body>\n</html>\n", nil
}
