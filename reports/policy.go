package reports

// Policy is the Content-Security-Policy under which every page that HTML makes is
// complete: it lets the page run the one script that it has, by its hash, use the
// styles that it has, and load nothing. Who serves pages that may come from somebody
// else sends it as a header: their own policy is theirs to write.
func Policy() string { return policy }
