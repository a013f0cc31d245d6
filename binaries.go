package holdfast

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"

	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
)

// build makes what the members run, if versions are named that are not in the
// cache.
func (l *launch) build(ctx context.Context, progress func(line string)) error {
	made := make(map[string]string)
	get := func(etcd string) (path string, err error) {
		if !etcdbuild.IsVersion(etcd) {
			return etcd, nil
		}
		if _, ok := made[etcd]; !ok {
			made[etcd], err = etcdbuild.Ensure(ctx, etcd, progress)
		}
		return made[etcd], err
	}
	var err error
	if l.binary, err = get(l.spec.Etcd); err != nil {
		return err
	}
	l.binaries = make(map[string]string, len(l.spec.Mixed))
	for _, member := range slices.Sorted(maps.Keys(l.spec.Mixed)) {
		if l.binaries[member], err = get(l.spec.Mixed[member]); err != nil {
			return err
		}
	}
	return nil
}

// linkedAlone is the mistake of asking for another etcd where members are no
// processes.
func linkedAlone(spec ClusterSpec) []Mistake {
	var mistakes []Mistake
	for field, said := range map[string]bool{"etcd": spec.Etcd != "", "mixed": len(spec.Mixed) > 0} {
		if said {
			mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(
				"members of a cluster of kind %s run the etcd that is built into holdfast; say kind: process for another", spec.Kind)})
		}
	}
	return mistakes
}

// binaryMistakes reports which etcd cannot be that of a member. Whether a version
// can be had shows when it is built.
func binaryMistakes(spec ClusterSpec) []Mistake {
	var mistakes []Mistake
	check := func(field, etcd string) {
		if etcdbuild.IsVersion(etcd) {
			return
		}
		if _, err := exec.LookPath(etcd); err != nil {
			mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(
				"%q is neither a version, such as 3.5.12, nor a binary that can be run: %v", etcd, err)})
		}
	}
	if spec.Etcd != "" {
		check("etcd", spec.Etcd)
	}
	for _, member := range slices.Sorted(maps.Keys(spec.Mixed)) {
		names := memberNames(spec.Members)
		if !slices.Contains(names, member) {
			mistakes = append(mistakes, Mistake{Field: "mixed." + member, Message: fmt.Sprintf("there is no such member, only %q", names)})
			continue
		}
		check("mixed."+member, spec.Mixed[member])
	}
	return mistakes
}

// memberNames are the names of the members of a cluster of real servers.
func memberNames(members int) []string {
	var names []string
	for i := range members {
		names = append(names, fmt.Sprintf("m%d", i+1))
	}
	return names
}
