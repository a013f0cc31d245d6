package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/client"

	"github.com/etcd-holdfast/holdfast/internal/offspring"
)

// Leftover is something on an engine that a harness of this machine has left behind
// which is dead.
type Leftover struct {
	// What is "container", "network", "volume" or "image". Which is its name.
	What, Which string
	thing       thing
}

// Remove removes it.
func (l Leftover) Remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removePatience)
	defer cancel()
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(e.remove(ctx, l.thing), e.Close())
}

// Leftovers finds what dead harnesses of this machine have left on the engine, in the
// order in which it can be removed: containers, networks, volumes, and images that no
// container uses and this program does not either. That there is no engine is no
// error.
func Leftovers(ctx context.Context) ([]Leftover, error) {
	e, err := connect(ctx)
	if err != nil {
		return nil, ctx.Err()
	}
	machine, err := offspring.Machine()
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	forsaken := func(t thing) bool {
		return t.labels[machineLabel] == machine && offspring.Dead(t.labels[harnessLabel])
	}
	all, err := e.find(ctx, client.Filters{}.Add("label", runLabel))
	if err == nil {
		var images []thing
		images, err = e.unusedImages(ctx, forsaken)
		all = append(all, images...)
	}
	var left []Leftover
	for _, t := range all {
		if forsaken(t) {
			left = append(left, Leftover{string(t.what), t.name, t})
		}
	}
	return left, errors.Join(err, e.Close())
}

// unusedImages are the images made by any holdfast that no container uses but such as
// are forsaken, without the one that is made of this program.
func (e *engine) unusedImages(ctx context.Context, forsaken func(thing) bool) ([]thing, error) {
	containers, err := e.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("look for containers: %w", err)
	}
	used := make(map[string]bool)
	for _, c := range containers.Items {
		used[c.ImageID] = used[c.ImageID] || !forsaken(thing{labels: c.Labels})
	}
	images, err := e.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("label", imageLabel)})
	if err != nil {
		return nil, fmt.Errorf("look for images: %w", err)
	}
	own := e.ownDigest()
	var all []thing
	for _, i := range images.Items {
		if used[i.ID] || i.Labels[imageLabel] == own {
			continue
		}
		t := thing{imageKind, i.ID, i.ID, i.Labels}
		if len(i.RepoTags) > 0 {
			t.name = i.RepoTags[0]
		}
		all = append(all, t)
	}
	return all, nil
}

// ownDigest is that of the image that is made of this program, "" if none can be.
func (e *engine) ownDigest() string {
	binary, err := ownBinary()
	if err != nil {
		return ""
	}
	files, err := filesOf(binary, e.arch)
	if err != nil {
		return ""
	}
	digest, err := digestOf(files)
	if err != nil {
		return ""
	}
	return digest
}
