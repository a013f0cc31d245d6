package docker

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

const (
	// answerPatience is how long an engine may take for its first answer.
	answerPatience = 1500 * time.Millisecond
	// introductionPatience is how long all that is asked of one that has answered may
	// take.
	introductionPatience = 30 * time.Second
)

const defaultSocket = "/var/run/docker.sock"

// engine is the Docker engine, found as testcontainers finds it.
type engine struct {
	*testcontainers.DockerClient
	provider *testcontainers.DockerProvider
	// arch is that of its machine, as Go calls it.
	arch string
}

// Available is why there is no cluster of containers to be had: no engine answers.
// It returns within two seconds then.
func Available(ctx context.Context) error {
	e, err := connect(ctx)
	if err != nil {
		return err
	}
	return e.Close()
}

// tame keeps testcontainers' words out of what a run says, and keeps it from pulling
// an image of its own that removes what is left behind: labels and Leftovers do
// that, and there may be no registry. Who has set the variable is heeded.
var tame = sync.OnceValue(func() error {
	log.SetDefault(log.NewNoopLogger())
	if _, set := os.LookupEnv(ryukVariable); set {
		return nil
	}
	return os.Setenv(ryukVariable, "true")
})

const ryukVariable = "TESTCONTAINERS_RYUK_DISABLED"

// connect finds the engine.
func connect(ctx context.Context) (*engine, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := tame(); err != nil {
		return nil, err
	}
	// testcontainers keeps for good what it has found, or that it has found nothing:
	// that a caller has lost patience must not be kept.
	patience := answerPatience
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	why := asked(within)
	_, said := os.LookupEnv(client.EnvOverrideHost)
	switch {
	case why == nil:
		within, cancel = context.WithTimeout(context.WithoutCancel(ctx), introductionPatience)
		defer cancel()
	case errors.Is(why, context.DeadlineExceeded):
		return nil, noEngine(fmt.Errorf("%s does not answer within %v", where(), patience))
	case said:
		return nil, noEngine(why)
	}
	e, err := introduced(within)
	if err != nil {
		return nil, noEngine(err)
	}
	return e, ctx.Err()
}

// noEngine is the one sentence that says what to do.
func noEngine(err error) error {
	why := strings.TrimRight(strings.Join(strings.Fields(err.Error()), " "), ".")
	return fmt.Errorf("no Docker engine answers (%s); start one, or say with DOCKER_HOST where it is, or choose another kind of cluster", why)
}

// where is where the engine is first looked for.
func where() string {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return host
	}
	return "unix://" + defaultSocket
}

// asked is why the engine does not answer that the environment names, or else the usual
// one, or nil if it does. Where none is named there may be another.
func asked(ctx context.Context) error {
	plain, err := client.New(client.FromEnv, client.WithHost(where()))
	if err != nil {
		return err
	}
	defer func() { _ = plain.Close() }()
	if _, err := plain.Ping(ctx, client.PingOptions{}); err != nil {
		return errors.Join(err, ctx.Err())
	}
	return nil
}

// introduced is the engine, once it has said what it is.
func introduced(ctx context.Context) (e *engine, err error) {
	defer func() { // testcontainers panics where the engine ends between two questions
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, err
	}
	info, err := docker.Client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, errors.Join(err, docker.Close())
	}
	if info.Info.OSType != "linux" {
		return nil, errors.Join(fmt.Errorf("its containers are %s's, and members need Linux", info.Info.OSType), docker.Close())
	}
	generic, err := testcontainers.ProviderDefault.GetProvider(testcontainers.WithLogger(log.NewNoopLogger()))
	if err != nil {
		return nil, errors.Join(err, docker.Close())
	}
	provider, ok := generic.(*testcontainers.DockerProvider)
	if !ok {
		return nil, errors.Join(fmt.Errorf("testcontainers knows it as a %T", generic), generic.Close(), docker.Close())
	}
	return &engine{DockerClient: docker, provider: provider, arch: goArch(info.Info.Architecture)}, nil
}

// Close lets go of the engine.
func (e *engine) Close() error { return errors.Join(e.provider.Close(), e.DockerClient.Close()) }

// goArch is an architecture as uname calls it, as Go does.
func goArch(uname string) string {
	switch uname {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	default:
		return uname
	}
}

// here is true if the engine is on this machine, as far as its address says.
func (e *engine) here() bool { return isHere(e.DaemonHost()) }

func isHere(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "unix", "npipe":
		return true
	}
	return isLoopback(u.Hostname())
}
