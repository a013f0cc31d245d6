package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// The kinds of things on an engine.
const (
	containerKind kind = "container"
	networkKind   kind = "network"
	volumeKind    kind = "volume"
	imageKind     kind = "image"
)

type kind string

// thing is something on an engine.
type thing struct {
	what     kind
	id, name string
	labels   map[string]string
}

// removeRun removes all that was created for a run, whatever of it there is.
func (e *engine) removeRun(ctx context.Context, run string) error {
	all, err := e.find(ctx, client.Filters{}.Add("label", runLabel+"="+run))
	errs := []error{err}
	for _, t := range all {
		errs = append(errs, e.remove(ctx, t))
	}
	return errors.Join(errs...)
}

// find finds the containers, networks and volumes with a label, in the order in which
// they can be removed.
func (e *engine) find(ctx context.Context, labelled client.Filters) (all []thing, err error) {
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: labelled})
	if err != nil {
		return nil, fmt.Errorf("look for containers: %w", err)
	}
	for _, c := range containers.Items {
		name := c.ID
		if len(c.Names) > 0 {
			name = c.Names[0][1:] // without its slash
		}
		all = append(all, thing{containerKind, c.ID, name, c.Labels})
	}
	networks, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: labelled})
	if err != nil {
		return all, fmt.Errorf("look for networks: %w", err)
	}
	for _, n := range networks.Items {
		all = append(all, thing{networkKind, n.ID, n.Name, n.Labels})
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: labelled})
	if err != nil {
		return all, fmt.Errorf("look for volumes: %w", err)
	}
	for _, v := range volumes.Items {
		all = append(all, thing{volumeKind, v.Name, v.Name, v.Labels})
	}
	return all, nil
}

// remove removes something. That it is gone is no error.
func (e *engine) remove(ctx context.Context, t thing) (err error) {
	switch t.what {
	case containerKind:
		_, err = e.ContainerRemove(ctx, t.id, client.ContainerRemoveOptions{Force: true})
	case networkKind:
		_, err = e.NetworkRemove(ctx, t.id, client.NetworkRemoveOptions{})
	case volumeKind:
		_, err = e.VolumeRemove(ctx, t.id, client.VolumeRemoveOptions{})
	case imageKind:
		_, err = e.ImageRemove(ctx, t.id, client.ImageRemoveOptions{PruneChildren: true})
	}
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove the %s %s: %w", t.what, t.name, err)
}
