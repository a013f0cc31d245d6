package holdfast

import "context"

// This file is what can end the load before its time.

// played returns a channel that is closed when every crew has done what its
// script says, or nil if one has no script.
func (r *run) played() <-chan struct{} {
	all := make(chan struct{})
	var ends []<-chan struct{}
	for _, c := range r.crews {
		ended := c.Played()
		if ended == nil {
			return nil
		}
		ends = append(ends, ended)
	}
	go func() {
		defer close(all)
		for _, ended := range ends {
			<-ended
		}
	}()
	return all
}

// failures delivers the first failure of a crew, as long as ctx lasts.
func (r *run) failures(ctx context.Context) <-chan error {
	failed := make(chan error, len(r.crews))
	for _, c := range r.crews {
		go func() {
			select {
			case err := <-c.Failed():
				failed <- err
			case <-ctx.Done():
			}
		}()
	}
	return failed
}
