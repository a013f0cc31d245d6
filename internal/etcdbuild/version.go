package etcdbuild

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// version is one of etcd's: 3.5.12, or 3.6.0-rc.1.
type version struct {
	major, minor, patch int
	suffix              string // with its "-"
}

var versionForm = regexp.MustCompile(`^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(-[0-9A-Za-z.-]+)?$`)

// IsVersion is true if text has the form of a version, such as "3.5.12", whether
// or not there is such an etcd.
func IsVersion(text string) bool { return versionForm.MatchString(text) }

func parseVersion(text string) (version, error) {
	m := versionForm.FindStringSubmatch(text)
	if m == nil {
		return version{}, fmt.Errorf("%q is no version of etcd; one is, for example, 3.5.12", text)
	}
	v := version{suffix: m[4]}
	for i, part := range []*int{&v.major, &v.minor, &v.patch} {
		*part, _ = strconv.Atoi(m[i+1]) // at most four digits
	}
	return v, nil
}

func (v version) String() string {
	return fmt.Sprintf("%d.%d.%d%s", v.major, v.minor, v.patch, v.suffix)
}

func (v version) number() int { return (v.major*10000+v.minor)*10000 + v.patch }

// origin is the module that a version of the server is in.
type origin struct {
	module, version string
	// also are requirements beside it, for what a present toolchain no longer
	// builds.
	also []string
	// argless is true if its main function takes no arguments but those of the
	// process.
	argless bool
}

// Before 3.5 etcd was one module whose releases have no versions that the go
// command takes; these can be had by their commits.
var commitsOf34 = map[int]string{
	3:  "v0.0.0-20191023171146-3cf2f69b5738",
	7:  "v0.5.0-alpha.5.0.20200401174654-e694b7bb0875",
	13: "v0.5.0-alpha.5.0.20200824191128-ae9734ed278b",
	15: "v0.5.0-alpha.5.0.20210226220824-aa7126864d82",
}

// origin returns where a version of the server comes from, or why it does not.
func (v version) origin() (origin, error) {
	switch {
	case v.number() >= version{major: 3, minor: 5}.number():
		return origin{module: "go.etcd.io/etcd/server/v3", version: "v" + v.String()}, nil
	case v.major == 3 && v.minor == 4:
		commit, ok := commitsOf34[v.patch]
		if ok && v.suffix == "" {
			return origin{module: "go.etcd.io/etcd", version: commit, argless: true, also: []string{"golang.org/x/sys v0.1.0", "github.com/modern-go/reflect2 v1.0.2"}}, nil
		}
		var have []string
		for patch := range commitsOf34 {
			have = append(have, version{major: 3, minor: 4, patch: patch}.String())
		}
		slices.SortFunc(have, byNumber)
		return origin{}, &UnavailableError{Version: v.String(), Near: have,
			Reason: "releases of 3.4 are no versions of a Go module, and holdfast knows the commits of a few only"}
	default:
		return origin{}, &UnavailableError{Version: v.String(), Reason: "releases before 3.4 do not build as Go modules"}
	}
}

// packagePath is that of the package with the server's main function.
func (o origin) packagePath() string { return o.module + "/etcdmain" }

func byNumber(a, b string) int {
	v, _ := parseVersion(a)
	w, _ := parseVersion(b)
	return cmp.Or(cmp.Compare(v.number(), w.number()), cmp.Compare(a, b))
}

// near are those of all versions that are nearest to v, at most six, in order.
func near(v version, all []string) []string {
	distance := func(text string) int {
		w, _ := parseVersion(text)
		d := w.number() - v.number()
		return max(d, -d)
	}
	all = slices.DeleteFunc(slices.Clone(all), func(text string) bool { return !IsVersion(text) || strings.Contains(text, "-") })
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	all = all[:min(len(all), 6)]
	slices.SortFunc(all, byNumber)
	for i := range all {
		all[i] = strings.TrimPrefix(all[i], "v")
	}
	return all
}

// UnavailableError says that a version of etcd cannot be had.
type UnavailableError struct {
	Version, Reason string
	// Near are versions that probably can.
	Near []string
}

func (e *UnavailableError) Error() string {
	text := fmt.Sprintf("etcd %s cannot be built: %s", e.Version, e.Reason)
	if len(e.Near) > 0 {
		text += "; near it there are " + strings.Join(e.Near, ", ")
	}
	return text + "; or name a binary with --etcd PATH"
}
