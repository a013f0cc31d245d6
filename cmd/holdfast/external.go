package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/etcd-holdfast/holdfast"
)

// elsewhere are the flags that say where a cluster is which somebody else runs, and
// as whom it is asked. Those of certificates are named as etcdctl's are.
type elsewhere struct {
	flags     *pflag.FlagSet
	endpoints []string
	prefix    string
	tls       holdfast.TLSSpec
	user      string
	password  string // the file's name
	allow     []string
}

func (e *elsewhere) add(flags *pflag.FlagSet) {
	e.flags = flags
	flags.StringSliceVar(&e.endpoints, "endpoints", nil, "the client URLs of a cluster that somebody else runs, one a member (docs/scenarios.md)")
	flags.StringVar(&e.prefix, "prefix", "", "what is before every key of the run in that cluster; nothing else may be below it (default: holdfast/SCENARIO/)")
	flags.StringVar(&e.tls.CAFile, "cacert", "", "the certificate of the authority that has signed those of its members")
	flags.StringVar(&e.tls.CertFile, "cert", "", "the certificate to show to it")
	flags.StringVar(&e.tls.KeyFile, "key", "", "the key of that certificate")
	flags.StringVar(&e.user, "user", "", "the user of etcd's as whom to ask it (default: "+holdfast.UserVariable+"); the password comes from "+holdfast.PasswordVariable+" or a file")
	flags.StringVar(&e.password, "password-file", "", "the file with that user's password")
}

// check is what is wrong with the flags by themselves. It does not repeat what may be
// a password.
func (e *elsewhere) check() error {
	if strings.Contains(e.user, ":") {
		return usageError{errors.New("--user is a name alone, for command lines are seen and kept: the password comes from " + holdfast.PasswordVariable + " or --password-file")}
	}
	for _, endpoint := range e.endpoints {
		if strings.Contains(endpoint, "@") {
			return usageError{errors.New("--endpoints: an endpoint has a user or a password in it, and command lines are seen and kept; give them by " + holdfast.UserVariable + " and " + holdfast.PasswordVariable)}
		}
	}
	return nil
}

// assignments are the fields of a scenario that the flags set.
func (e *elsewhere) assignments() ([]string, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var set []string
	assign := func(flag, field string, value any) error {
		if !e.flags.Changed(flag) {
			return nil
		}
		text, err := json.Marshal(value)
		if err != nil {
			return usageError{fmt.Errorf("--%s: %w", flag, err)}
		}
		set = append(set, "cluster."+field+"="+string(text))
		return nil
	}
	err := errors.Join(
		assign("endpoints", "endpoints", e.endpoints),
		assign("prefix", "prefix", e.prefix),
		assign("cacert", "tls.ca-file", e.tls.CAFile),
		assign("cert", "tls.cert-file", e.tls.CertFile),
		assign("key", "tls.key-file", e.tls.KeyFile),
		assign("user", "user", e.user),
		assign("password-file", "password-file", e.password),
		assign("allow", "allow", e.allow),
	)
	if len(set) > 0 && !e.flags.Changed("cluster") {
		set = append(set, "cluster.kind=external")
	}
	return set, err
}

// spec is the cluster that the flags name.
func (e *elsewhere) spec() holdfast.ClusterSpec {
	spec := holdfast.ClusterSpec{Kind: "external"}
	spec.Endpoints, spec.Prefix, spec.User, spec.PasswordFile = e.endpoints, e.prefix, e.user, e.password
	if e.tls != (holdfast.TLSSpec{}) {
		spec.TLS = &e.tls
	}
	return spec
}
