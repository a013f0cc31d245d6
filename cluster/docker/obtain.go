package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
)

// pullPatience is how long an image may take to come.
const pullPatience = 5 * time.Minute

// registryPatience is how long registries may take in which an image may be or not.
const registryPatience = time.Minute

// obtain makes sure that the engine has an image.
func (e *engine) obtain(ctx context.Context, image string, say func(string, ...any)) error {
	_, err := e.ImageInspect(ctx, image)
	if err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	say("pulling the image %s", image)
	ctx, cancel := context.WithTimeout(ctx, pullPatience)
	defer cancel()
	if err := e.provider.PullImage(ctx, image); err != nil {
		return fmt.Errorf("the Docker engine does not have the image %s, and cannot get it: %w", image, err)
	}
	return nil
}

// Obtain makes sure that the engine has an image: it may have to pull it.
func Obtain(ctx context.Context, image string, say func(string, ...any)) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(e.obtain(ctx, image, say), e.Close())
}

// FirstImage is the first of some images that the engine has, or else can pull within a
// minute.
func FirstImage(ctx context.Context, images []string, say func(string, ...any)) (string, error) {
	e, err := connect(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = e.Close() }()
	for _, image := range images {
		if _, err := e.ImageInspect(ctx, image); err == nil {
			return image, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, registryPatience)
	defer cancel()
	var errs []error
	for _, image := range images {
		if err := e.obtain(ctx, image, say); err != nil {
			errs = append(errs, err)
			continue
		}
		return image, nil
	}
	return "", errors.Join(errs...)
}
