package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// removeRun removes all that was created for a run, whatever of it there is.
func (e *engine) removeRun(ctx context.Context, run string) error {
	if run == "" {
		return nil
	}
	all, err := e.find(ctx, client.Filters{}.Add("label", runLabel+"="+run))
	errs := []error{err}
	for _, t := range all {
		errs = append(errs, t.remove(ctx))
	}
	return errors.Join(errs...)
}

// thing is something on an engine that carries the labels of a run.
type thing struct {
	what, name string
	labels     map[string]string
	remove     func(context.Context) error
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
		all = append(all, thing{"container", name, c.Labels, func(ctx context.Context) error {
			_, err := e.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
			return gone("container", name, err)
		}})
	}
	networks, err := e.NetworkList(ctx, client.NetworkListOptions{Filters: labelled})
	if err != nil {
		return all, fmt.Errorf("look for networks: %w", err)
	}
	for _, n := range networks.Items {
		all = append(all, thing{"network", n.Name, n.Labels, func(ctx context.Context) error {
			_, err := e.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			return gone("network", n.Name, err)
		}})
	}
	volumes, err := e.VolumeList(ctx, client.VolumeListOptions{Filters: labelled})
	if err != nil {
		return all, fmt.Errorf("look for volumes: %w", err)
	}
	for _, v := range volumes.Items {
		all = append(all, thing{"volume", v.Name, v.Labels, func(ctx context.Context) error {
			_, err := e.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
			return gone("volume", v.Name, err)
		}})
	}
	return all, nil
}

// gone is why something is still there that was to be removed, or nil.
func gone(what, name string, err error) error {
	if err == nil || errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("remove the %s %s: %w", what, name, err)
}
