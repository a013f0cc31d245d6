package docker

import (
	"context"
	"fmt"
	"net/netip"
	"path"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/etcd-holdfast/holdfast/cluster/members"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// dataDirectory is where a member keeps its data, in its container: a volume.
const dataDirectory = "/holdfast-data"

// machine is what a member runs on: its pod, its volume, and the container of its
// server, which is started again and again.
type machine struct {
	cluster *Cluster
	place   *members.Place
	pod     *pod
	server  string // its container
}

// prepare creates it. If that fails what was created carries the cluster's labels.
func (m *machine) prepare(ctx context.Context, image string, address netip.Addr, hosts []netip.Addr) (err error) {
	e, mark, name := m.cluster.engine, m.cluster.mark, m.place.Name
	if _, err := e.VolumeCreate(ctx, client.VolumeCreateOptions{Name: mark.name(name), Labels: mark.labels(name)}); err != nil {
		return fmt.Errorf("create its volume: %w", err)
	}
	if m.pod, err = e.newPod(ctx, mark, image, name, m.cluster.meeting, address, hosts); err != nil {
		return err
	}
	server, env := serverImage{name: image}, map[string]string{offspring.RoleVariable: ServerRole}
	if s := m.cluster.config.Servers[name]; s != (Server{}) {
		server, env = m.cluster.images[s], nil
	}
	created, err := e.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Image: server.name, Name: mark.name(name), Labels: mark.labels(name), Env: env,
		Entrypoint: server.entrypoint, Cmd: m.flags(),
		ConfigModifier: func(c *container.Config) { c.User = "0:0" }, // volumes are root's
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode("container:" + m.pod.id)
			h.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: mark.name(name), Target: dataDirectory}}
		},
	})
	if err != nil {
		return fmt.Errorf("create its container: %w", err)
	}
	m.server = created.GetContainerID()
	return nil
}

// flags are those of its server. It listens at all addresses, so that it can start
// while the one among the members is gone.
func (m *machine) flags() []string {
	spec := m.cluster.Spec(m.place)
	spec.Directory = path.Join(spec.Directory, "etcd")
	return spec.Flags("http", fmt.Sprintf("0.0.0.0:%d", peerPort), fmt.Sprintf("0.0.0.0:%d", clientPort))
}

// serverImage is the image of a server, and what it has to be started with; nil is what
// the image says.
type serverImage struct {
	name       string
	entrypoint []string
}

// ensureServer makes sure that the engine has the image of a server that is not this
// program's.
func (c *Cluster) ensureServer(ctx context.Context, s Server) error {
	if _, has := c.images[s]; has || s == (Server{}) {
		return nil
	}
	if s.Binary != "" {
		name, err := c.engine.ensureImage(ctx, c.mark, s.Binary, c.config.say)
		c.images[s] = serverImage{name: name}
		return err
	}
	if err := c.engine.obtain(ctx, s.Image, c.config.say); err != nil {
		return err
	}
	seen, err := c.engine.ImageInspect(ctx, s.Image)
	if err != nil {
		return err
	}
	of := serverImage{name: s.Image, entrypoint: []string{"etcd"}}
	if seen.Config != nil {
		if e := seen.Config.Entrypoint; len(e) > 0 && path.Base(e[len(e)-1]) == "etcd" {
			of.entrypoint = nil
		}
	}
	c.images[s] = of
	return nil
}
