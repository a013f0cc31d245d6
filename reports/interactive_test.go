package reports_test

import (
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	scriptElement = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	dataElement   = regexp.MustCompile(`<template id="data">([A-Za-z0-9+/=]*)</template>`)
	policyElement = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`)
)

// withoutScript is a page without its one script, which its policy has to name,
// and without the data that the script works on.
func withoutScript(t *testing.T, out string) string {
	t.Helper()
	scripts := scriptElement.FindAllStringSubmatch(out, -1)
	if len(scripts) != 1 {
		t.Fatalf("the page has %d scripts", len(scripts))
	}
	sum := sha256.Sum256([]byte(scripts[0][1]))
	want := "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	policy := policyElement.FindStringSubmatch(out)
	if policy == nil || html.UnescapeString(policy[1]) != want {
		t.Errorf("the page's policy is %q, want %q", policy, want)
	}
	return dataElement.ReplaceAllLiteralString(scriptElement.ReplaceAllLiteralString(out, ""), "")
}

// TestScriptLoadsAndMakesNothing: what the script writes into the page is text,
// and it asks nobody for anything.
func TestScriptLoadsAndMakesNothing(t *testing.T) {
	script := scriptElement.FindStringSubmatch(page(t, violatedReport()))[1]
	for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch(", "XMLHttpRequest", "WebSocket", "import(", "EventSource", "sendBeacon", "createContextualFragment", "http:", "https:"} {
		if strings.Contains(script, word) {
			t.Errorf("the script has %s", word)
		}
	}
}

// data is what the page's script works on: the head, and how many bytes of
// columns follow.
func data(t *testing.T, out string) (head map[string]any, text string, columns int) {
	t.Helper()
	found := dataElement.FindStringSubmatch(out)
	if found == nil {
		t.Fatal("the page has no data")
	}
	unpacked, err := io.ReadAll(flate.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(found[1]))))
	if err != nil {
		t.Fatal(err)
	}
	size := binary.LittleEndian.Uint32(unpacked)
	text = string(unpacked[4 : 4+size])
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		t.Fatal(err)
	}
	return head, text, len(unpacked) - 4 - int(size)
}

func TestDataOfHostileStringsAreHarmless(t *testing.T) {
	head, text, _ := data(t, page(t, hostileReport()))
	invisible(t, text, "")
	for _, client := range head["Clients"].([]any) {
		invisible(t, client.(string), "")
	}
}

// TestDataAreOfAllOrOfWhatIsNear: a short run's data have every operation; a long
// one's have the witnesses and what is around them, and how dense the rest is.
func TestDataAreOfAllOrOfWhatIsNear(t *testing.T) {
	short := bigReport(6, 1, 30, 2000, 10, 25*time.Second)
	head, _, _ := data(t, page(t, short))
	if n := int(head["Listed"].(float64)); n != len(short.History.Operations) || head["Windows"] != nil || head["Moments"].(float64) != 0 {
		t.Errorf("%d of %d operations, windows %v, %v moments", n, len(short.History.Operations), head["Windows"], head["Moments"])
	}
	if testing.Short() {
		t.Skip("300,000 operations")
	}
	long := bigReport(6, 3, 30, 300_000, 40, 300*time.Second)
	head, _, columns := data(t, page(t, long))
	listed, moments, lanes := int(head["Listed"].(float64)), int(head["Moments"].(float64)), len(head["Lanes"].([]any))
	if listed == 0 || listed >= len(long.History.Operations) || moments == 0 || lanes == 0 || columns < moments*lanes {
		t.Errorf("%d operations, %d moments of %d lanes in %d bytes", listed, moments, lanes, columns)
	}
	if windows := head["Windows"].([]any); len(windows) == 0 {
		t.Error("there is no time of which all operations are listed")
	}
	if witnesses := head["Witnesses"].([]any); len(witnesses) == 0 {
		t.Error("there are no witnesses")
	}
}
