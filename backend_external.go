package holdfast

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/etcd-holdfast/holdfast/cluster"
	"github.com/etcd-holdfast/holdfast/cluster/external"
	"github.com/etcd-holdfast/holdfast/faults"
	"github.com/etcd-holdfast/holdfast/internal/offspring"
	"github.com/etcd-holdfast/holdfast/workloads"
)

// externalKind is a cluster that somebody else runs.
const externalKind = external.Kind

// The environment variables that say as whom a cluster that somebody else runs is
// asked, where the scenario does not say the user, or no file has the password.
const (
	UserVariable     = "HOLDFAST_USER"
	PasswordVariable = offspring.Secret
)

// ExternalSpec says more of a cluster that somebody else runs; it is of kind
// external only.
type ExternalSpec struct {
	// Endpoints are the client URLs of the members, one each.
	Endpoints []string `yaml:"endpoints,omitempty"`
	// Prefix is before every key of the run; "" is "holdfast/" and the scenario's
	// name. Nothing else may be below it, and nothing is when the run is over.
	Prefix string `yaml:"prefix,omitempty"`
	// TLS is how members are spoken to, if that needs more than https and the
	// authorities that the system trusts.
	TLS *TLSSpec `yaml:"tls,omitempty"`
	// User is etcd's; "" is UserVariable, and if that is not set nobody. PasswordFile
	// holds the password; "" is PasswordVariable. The password itself is never part
	// of a scenario.
	User         string `yaml:"user,omitempty"`
	PasswordFile string `yaml:"password-file,omitempty"`
	// Allow names what may be done to the whole cluster, by the names of faults:
	// "compact", "compact-here", "move-leader".
	Allow []string `yaml:"allow,omitempty"`
}

// TLSSpec names files in PEM.
type TLSSpec struct {
	CAFile   string `yaml:"ca-file,omitempty"`
	CertFile string `yaml:"cert-file,omitempty"`
	KeyFile  string `yaml:"key-file,omitempty"`
	// ServerName is the name in the members' certificates, if it is not that in their
	// endpoints.
	ServerName string `yaml:"server-name,omitempty"`
}

func (t *TLSSpec) load() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	return external.Files{CA: t.CAFile, Cert: t.CertFile, Key: t.KeyFile, ServerName: t.ServerName}.Load()
}

// shared is true if others use the cluster as well.
func (c *ClusterSpec) shared() bool { return c.Kind == externalKind }

// prefix is before every key of a run of the scenario.
func (s *Scenario) prefix() string {
	if !s.Cluster.shared() {
		return runPrefix
	}
	return s.Cluster.Prefix
}

// login is as whom the cluster is asked.
func (c *ClusterSpec) login() (workloads.Login, error) {
	var l workloads.Login
	if !c.shared() {
		return l, nil
	}
	if l.User = c.User; l.User == "" {
		l.User = os.Getenv(UserVariable)
	}
	if c.PasswordFile != "" {
		text, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return l, fmt.Errorf("read the password: %w", err)
		}
		l.Password = strings.TrimRight(string(text), "\r\n")
	} else {
		l.Password = os.Getenv(PasswordVariable)
	}
	switch {
	case l.User == "" && c.PasswordFile != "":
		return l, fmt.Errorf("there is a file with a password and no user; say whose it is: --user, cluster.user or %s", UserVariable)
	case l.User == "":
		return workloads.Login{}, nil
	case l.Password == "":
		return l, fmt.Errorf("there is no password for the user %s; give it by %s, or by a file: --password-file or cluster.password-file", l.User, PasswordVariable)
	}
	return l, nil
}

func startExternal(ctx context.Context, l *launch) (cluster.Cluster, error) {
	config, err := l.spec.TLS.load()
	if err != nil {
		return nil, err
	}
	return external.Start(ctx, external.Config{
		Endpoints: l.spec.Endpoints, TLS: config, Username: l.login.User, Password: l.login.Password,
	})
}

// notAllowed is why a fault that touches all of a cluster is refused, or nil.
func notAllowed(what, name string, spec ClusterSpec) error {
	if slices.Contains(spec.Allow, name) {
		return nil
	}
	return fmt.Errorf("%s, and this cluster is somebody else's: if that may be, say allow: [%s] in cluster", what, name)
}

func externalCapabilities(spec ClusterSpec) faults.Capabilities {
	var c *external.Cluster
	can := faults.CapabilitiesOf(c, spec.Members)
	can.NoPeerLinks = errors.New("it needs links between members, and a cluster of kind external is reached from outside (embedded, process, sim and docker have them; a hook can do the like)")
	can.NoCompact = notAllowed("it compacts the history of the whole store", "compact", spec)
	can.NoCompactHere = notAllowed("it compacts the history of the whole store", "compact-here", spec)
	can.NoMove = notAllowed("it makes another member the leader", "move-leader", spec)
	return can
}

func externalMistakes(spec ClusterSpec) []Mistake {
	mistakes := slices.Concat(simAlone(spec), processesAlone(spec), containersAlone(spec))
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, Mistake{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	if spec.Fsync {
		wrong("fsync", "whether members wait for their disks is for those to say who run them")
	}
	if len(spec.Endpoints) == 0 {
		wrong("endpoints", "there is none; a cluster of kind external needs one for each member: --endpoints URL,… or endpoints: [URL, …]")
	}
	for i, endpoint := range spec.Endpoints {
		if err := external.CheckEndpoint(endpoint, spec.TLS != nil); err != nil {
			wrong(fmt.Sprintf("endpoints[%d]", i), "%v", err)
		}
	}
	if spec.Prefix == "" || !strings.HasSuffix(spec.Prefix, "/") || strings.Trim(spec.Prefix, "/") == "" {
		wrong("prefix", "%q is no prefix of a run's own; it is a name that ends with a slash, such as holdfast/ci/", spec.Prefix)
	}
	if _, err := spec.TLS.load(); err != nil {
		wrong("tls", "%v", err)
	}
	if strings.Contains(spec.User, ":") {
		wrong("user", "it is a name alone: the password comes from %s or a file, for a scenario is kept with the run", PasswordVariable)
	} else if _, err := spec.login(); err != nil {
		wrong("user", "%v", err)
	}
	for i, name := range spec.Allow {
		if name != "compact" && name != "compact-here" && name != "move-leader" {
			wrong(fmt.Sprintf("allow[%d]", i), "%q is none of compact, compact-here, move-leader, which touch the whole cluster", name)
		}
	}
	return mistakes
}

// externalAlone is the mistake of saying of a cluster that a run starts what only one
// has that somebody else runs.
func externalAlone(spec ClusterSpec) []Mistake {
	var mistakes []Mistake
	for _, field := range []struct {
		name string
		said bool
	}{
		{"endpoints", len(spec.Endpoints) > 0}, {"prefix", spec.Prefix != ""}, {"tls", spec.TLS != nil}, {"user", spec.User != ""},
		{"password-file", spec.PasswordFile != ""}, {"allow", len(spec.Allow) > 0},
	} {
		if field.said {
			mistakes = append(mistakes, Mistake{Field: field.name, Message: fmt.Sprintf("it is of a cluster of kind external, and this one is %s; say kind: external, or leave it out", spec.Kind)})
		}
	}
	return mistakes
}
