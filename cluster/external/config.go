package external

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Config says where a cluster is, and as whom it is asked.
type Config struct {
	// Endpoints are the client URLs of its members, one each: http://HOST:PORT,
	// https://HOST:PORT, or HOST:PORT, which is https if TLS is set.
	Endpoints []string
	// TLS is how members are spoken to; nil is in the clear. Their names are those in
	// the endpoints unless it has one.
	TLS *tls.Config
	// Username and Password are those of etcd; "" is nobody.
	Username, Password string
}

// endpoint is where a member is reached.
type endpoint struct {
	address string // HOST:PORT
	secure  bool
}

// URL is how a client that goes around the links would dial it.
func (e endpoint) url() string {
	if e.secure {
		return "https://" + e.address
	}
	return "http://" + e.address
}

// parseEndpoint reads an endpoint. Its error does not repeat what may be a password.
func parseEndpoint(text string, secure bool) (endpoint, error) {
	if !strings.Contains(text, "://") {
		scheme := "http://"
		if secure {
			scheme = "https://"
		}
		text = scheme + text
	}
	if before, _, found := strings.Cut(text, "@"); found {
		scheme, _, _ := strings.Cut(before, "://")
		return endpoint{}, fmt.Errorf("an endpoint has a user or a password in it (%s://…@…), which would be kept with the run; leave them out, and give them by HOLDFAST_USER and HOLDFAST_PASSWORD", scheme)
	}
	u, err := url.Parse(text)
	if err != nil {
		return endpoint{}, fmt.Errorf("%q is no endpoint such as https://10.0.0.1:2379: %w", text, errors.Unwrap(err))
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return endpoint{}, fmt.Errorf("%q is no endpoint: it has to begin with http:// or https://, or be HOST:PORT", text)
	case u.Hostname() == "" || u.Port() == "":
		return endpoint{}, fmt.Errorf("%q is no endpoint such as https://10.0.0.1:2379: it lacks a host or a port", text)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return endpoint{}, fmt.Errorf("%q is no endpoint such as https://10.0.0.1:2379: nothing can follow the port", text)
	case u.Scheme == "http" && secure:
		return endpoint{}, fmt.Errorf("%q is in the clear, and there are certificates for TLS: is it https?", text)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 {
		return endpoint{}, fmt.Errorf("%q is no endpoint: %s is no port", text, u.Port())
	}
	return endpoint{net.JoinHostPort(u.Hostname(), u.Port()), u.Scheme == "https"}, nil
}

// CheckEndpoint returns what is wrong with an endpoint, or nil. With secure TLS is
// said more of.
func CheckEndpoint(text string, secure bool) error {
	_, err := parseEndpoint(text, secure)
	return err
}

// Files name the certificates of a cluster, as etcdctl's flags --cacert, --cert and
// --key do. The zero value is those of the system, and no certificate of one's own.
type Files struct {
	CA, Cert, Key string
	// ServerName is the name in the members' certificates, if it is not that in
	// their endpoints.
	ServerName string
}

// Load reads the files.
func (f Files) Load() (*tls.Config, error) {
	config := &tls.Config{ServerName: f.ServerName, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		text, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificate of the authority: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the certificate of the authority: %s has no certificate in PEM", f.CA)
		}
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, errors.New("a certificate and its key belong together, and there is one of them only")
	}
	if f.Cert != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("read the certificate %s and its key: %w", f.Cert, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
