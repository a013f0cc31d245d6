package holdfast

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/process"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
	"github.com/etcd-holdfast/holdfast/quantity"
)

// smallestDisk is what a member's own file system has to hold at least: etcd
// preallocates two files of 64 MiB for its log.
const smallestDisk quantity.Size = 192 << 20

// prepareProcesses gets the servers that the members are to run.
func prepareProcesses(ctx context.Context, l *launch) error {
	paths, versions := make(map[string]string), make(map[string]string)
	get := func(etcd string) (string, error) {
		if path, ok := paths[etcd]; ok || etcd == "" {
			return path, nil
		}
		path, err := serverOf(ctx, etcd, l.say)
		if err != nil {
			return "", fmt.Errorf("get etcd %s: %w", etcd, err)
		}
		paths[etcd] = path
		versions[etcd], err = etcdbuild.VersionOf(ctx, path)
		return path, err
	}
	l.binaries = make(map[string]string)
	running := make(map[string]string)
	for i := range l.spec.Members {
		member := fmt.Sprintf("m%d", i+1)
		etcd, ok := l.spec.Mixed[member]
		if !ok {
			etcd = l.spec.Etcd
		}
		path, err := get(etcd)
		if err != nil {
			return err
		}
		l.binaries[member], running[member] = path, version.Version
		if etcd != "" {
			running[member] = versions[etcd]
		}
	}
	return neighbours(running)
}

// serverOf is the path of a server that a scenario names.
func serverOf(ctx context.Context, etcd string, say func(string, ...any)) (string, error) {
	if !etcdbuild.IsVersion(etcd) {
		return exec.LookPath(etcd)
	}
	return etcdbuild.Ensure(ctx, etcd, func(line string) { say("%s", line) })
}

// neighbours is an error if members run versions that cannot be in one cluster: etcd
// allows for one minor version, during an upgrade.
func neighbours(running map[string]string) error {
	oldest, newest := "", ""
	for _, member := range slices.Sorted(maps.Keys(running)) {
		if oldest == "" || minor(running[member]) < minor(running[oldest]) {
			oldest = member
		}
		if newest == "" || minor(running[member]) > minor(running[newest]) {
			newest = member
		}
	}
	if minor(running[newest])-minor(running[oldest]) > 1 {
		return fmt.Errorf("%s would run etcd %s and %s etcd %s; members of one cluster may be one minor version apart, or they end with a panic",
			oldest, running[oldest], newest, running[newest])
	}
	return nil
}

// minor is the second number of a version.
func minor(version string) int {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(parts[1]) // what is no version is no reason to refuse
	return n
}

func startProcesses(ctx context.Context, l *launch) (cluster.Cluster, error) {
	return process.Start(ctx, process.Config{
		Config: l.members(), Binaries: l.binaries, Disk: int64(l.spec.Disk),
		SlowDisks: slices.ContainsFunc(l.faults, func(name string) bool { k, ok := faults.Named(name); return ok && k.SlowsDisk }),
	})
}

func processCapabilities(spec ClusterSpec) faults.Capabilities {
	var c *process.Cluster
	can := faults.CapabilitiesOf(c, spec.Members)
	can.Fsync = spec.Fsync
	can.NoSlowDisk = process.SlowDisks()
	can.NoFullDisk = process.OwnDisks()
	if can.NoFullDisk == nil && spec.Disk == 0 {
		can.NoFullDisk = errors.New("it needs members with file systems of their own, and these have none: say disk: 512MiB in cluster")
	}
	return can
}

func processMistakes(spec ClusterSpec) []Mistake {
	mistakes := slices.Concat(etcdMistakes(spec), simAlone(spec), containersAlone(spec), externalAlone(spec), serverMistakes(spec))
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if spec.Disk != 0 {
		if spec.Disk < smallestDisk {
			wrong("disk", "%v is too small for an etcd member; the least is %v", spec.Disk, smallestDisk)
		}
		if err := process.OwnDisks(); err != nil {
			wrong("disk", "%v", err)
		}
	}
	return mistakes
}

// serverMistakes reports what is wrong with which etcd the members run.
func serverMistakes(spec ClusterSpec) []Mistake {
	var mistakes []Mistake
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	running := make(map[string]string)
	server := func(who, field, etcd string) {
		switch {
		case etcd == "":
			running[who] = version.Version
		case etcdbuild.IsVersion(etcd):
			running[who] = etcd
		default:
			if _, err := exec.LookPath(etcd); err != nil {
				wrong(field, "%q is neither a version such as 3.5.12 nor a program that can be run: %v", etcd, err)
			}
		}
	}
	for i := range spec.Members {
		if _, ok := spec.Mixed[fmt.Sprintf("m%d", i+1)]; !ok {
			server("the others", "etcd", spec.Etcd)
			break
		}
	}
	for _, member := range slices.Sorted(maps.Keys(spec.Mixed)) {
		server(member, "mixed."+member, spec.Mixed[member])
		if n, err := strconv.Atoi(strings.TrimPrefix(member, "m")); err != nil || !strings.HasPrefix(member, "m") || n < 1 || n > spec.Members {
			wrong("mixed."+member, "there is no member %q; there are m1 to m%d", member, spec.Members)
		}
	}
	if err := neighbours(running); err != nil {
		wrong("mixed", "%v", err)
	}
	return mistakes
}

// processesAlone is the mistake of saying of another cluster what only one whose
// members are programs of their own has.
func processesAlone(spec ClusterSpec) []Mistake {
	var mistakes []Mistake
	for _, field := range []struct {
		name, kinds string
		said        bool
	}{{"etcd", "process or docker", spec.Etcd != ""}, {"mixed", "process or docker", len(spec.Mixed) > 0}, {"disk", "process", spec.Disk != 0}} {
		if field.said {
			mistakes = append(mistakes, Mistake{Field: field.name, Message: fmt.Sprintf("it is of a cluster of kind %s, and this one is %s; say kind: process, or leave it out", field.kinds, spec.Kind)})
		}
	}
	return mistakes
}
