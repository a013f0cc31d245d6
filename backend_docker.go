package holdfast

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"go.etcd.io/etcd/api/v3/version"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/docker"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/internal/etcdbuild"
)

// prepareContainers gets the servers that the members are to run: for a version the
// image that etcd's makers publish, or, where there is no registry, a server that is
// built.
func prepareContainers(ctx context.Context, l *launch) error {
	servers, versions := make(map[string]docker.Server), make(map[string]string)
	get := func(etcd string) (docker.Server, error) {
		if s, ok := servers[etcd]; ok || etcd == "" {
			return s, nil
		}
		s, running, err := containerServer(ctx, etcd, l.say)
		if err != nil {
			return s, fmt.Errorf("get etcd %s: %w", etcd, err)
		}
		servers[etcd], versions[etcd] = s, running
		return s, nil
	}
	l.servers = make(map[string]docker.Server)
	running := make(map[string]string)
	for i := range l.spec.Members {
		member := fmt.Sprintf("m%d", i+1)
		etcd, mixed := l.spec.Mixed[member]
		if !mixed {
			etcd = l.spec.Etcd
		}
		if !mixed && l.spec.Image != "" {
			if err := docker.Obtain(ctx, l.spec.Image, l.say); err != nil {
				return err
			}
			l.servers[member] = docker.Server{Image: l.spec.Image}
			continue // what it runs shows when it does
		}
		s, err := get(etcd)
		if err != nil {
			return err
		}
		l.servers[member], running[member] = s, version.Version
		if etcd != "" {
			running[member] = versions[etcd]
		}
	}
	if len(running) == 0 {
		return nil
	}
	return neighbours(running)
}

// containerServer is the server that a scenario names, and the version that it runs.
func containerServer(ctx context.Context, etcd string, say func(string, ...any)) (s docker.Server, running string, err error) {
	if etcdbuild.IsVersion(etcd) {
		image, err := docker.FirstImage(ctx, []string{"gcr.io/etcd-development/etcd:v" + etcd, "quay.io/coreos/etcd:v" + etcd}, say)
		if err == nil {
			return docker.Server{Image: image}, etcd, nil
		}
		if ctx.Err() != nil {
			return s, "", err
		}
		say("no image of etcd %s is to be had here, so one is made", etcd)
	}
	path, err := serverOf(ctx, etcd, say)
	if err != nil {
		return s, "", err
	}
	running, err = etcdbuild.VersionOf(ctx, path)
	return docker.Server{Binary: path}, running, err
}

func startContainers(ctx context.Context, l *launch) (cluster.Cluster, error) {
	return docker.Start(ctx, docker.Config{Config: l.members(), Run: filepath.Base(l.directory), Servers: l.servers, Say: l.say})
}

func containerCapabilities(spec ClusterSpec) faults.Capabilities {
	var c *docker.Cluster
	can := faults.CapabilitiesOf(c, spec.Members)
	can.Fsync = spec.Fsync
	can.NoPacketDelay = docker.PacketDelay
	return can
}

func containerMistakes(spec ClusterSpec) []Mistake {
	mistakes := slices.Concat(etcdMistakes(spec), simAlone(spec), externalAlone(spec), serverMistakes(spec))
	if spec.Disk != 0 {
		mistakes = append(mistakes, Mistake{Field: "disk", Message: "it is of a cluster of kind process, and this one is docker; say kind: process, or leave it out"})
	}
	if spec.Image != "" && spec.Etcd != "" {
		mistakes = append(mistakes, Mistake{Field: "image", Message: fmt.Sprintf("members run either this image or etcd: %s; leave one of them out", spec.Etcd)})
	}
	return mistakes
}

// containersAlone is the mistake of saying of another cluster what only one of
// containers has.
func containersAlone(spec ClusterSpec) []Mistake {
	if spec.Image == "" {
		return nil
	}
	return []Mistake{{Field: "image", Message: fmt.Sprintf("it is of a cluster of kind docker, and this one is %s; say kind: docker, or leave it out", spec.Kind)}}
}
