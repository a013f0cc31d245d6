package playground

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-holdfast/holdfast/cluster/members"
)

const (
	// Root is the user who may do everything, and User one who may read and write
	// below UserPrefix and do no more.
	Root       = "root"
	User       = "holdfast"
	UserPrefix = "holdfast/"
)

// Keys are the files with what it takes to be let in by a cluster, "" if it takes
// none of the kind. Only the owner can read them, and they go with the cluster.
type Keys struct {
	// CA, Cert and Key are for clients, in PEM.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// RootPassword and UserPassword are the passwords of Root and User.
	RootPassword string `json:"root_password,omitempty"`
	UserPassword string `json:"user_password,omitempty"`
}

// members are the files of the members themselves.
func (k *Keys) members() *members.ClientTLS {
	directory := filepath.Dir(k.CA)
	return &members.ClientTLS{CertFile: filepath.Join(directory, "member.crt"), KeyFile: filepath.Join(directory, "member.key"), CAFile: k.CA}
}

// makeKeys makes what a cluster demands of its clients, or returns nil if it demands
// nothing.
func (p Place) makeKeys(c Config) (*Keys, error) {
	if !c.TLS && !c.Auth {
		return nil, nil
	}
	if err := os.MkdirAll(p.keys(), 0o700); err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(p.keys(), name) }
	k := &Keys{}
	if c.TLS {
		k.CA, k.Cert, k.Key = file("ca.crt"), file("client.crt"), file("client.key")
		if err := makeCertificates(p.keys()); err != nil {
			return nil, err
		}
	}
	if c.Auth {
		k.RootPassword, k.UserPassword = file("root.password"), file("holdfast.password")
		for _, path := range []string{k.RootPassword, k.UserPassword} {
			if err := os.WriteFile(path, []byte(rand.Text()+"\n"), 0o600); err != nil {
				return nil, err
			}
		}
	}
	return k, nil
}

// makeCertificates writes an authority, and what it signs for members and clients.
func makeCertificates(directory string) error {
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "holdfast cluster"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	signer, err := makeCertificate(directory, "ca", authority, nil, nil)
	if err != nil {
		return err
	}
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if _, err := makeCertificate(directory, "member", &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"holdfast"}}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: both,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}, authority, signer); err != nil {
		return err
	}
	// It has no common name, which etcd would take for a user's.
	_, err = makeCertificate(directory, "client", &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"holdfast"}}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: both[1:],
	}, authority, signer)
	return err
}

// makeCertificate writes a certificate and its key, and returns the key. Without a
// parent it signs itself.
func makeCertificate(directory, name string, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if parent == nil {
		parent, signer = template, key
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	signed, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	write := func(file, kind string, bytes []byte) error {
		return os.WriteFile(filepath.Join(directory, file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600)
	}
	return key, errors.Join(write(name+".crt", "CERTIFICATE", signed), write(name+".key", "PRIVATE KEY", private))
}

// TLS is how a client has to speak to the cluster; nil is in the clear.
func (k *Keys) TLS() (*tls.Config, error) {
	if k == nil || k.CA == "" {
		return nil, nil
	}
	return transport.TLSInfo{CertFile: k.Cert, KeyFile: k.Key, TrustedCAFile: k.CA}.ClientConfig()
}

// demand makes users, and has the members ask for them from then on.
func (k *Keys) demand(ctx context.Context, endpoints []string) error {
	config, err := k.TLS()
	if err != nil {
		return err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, TLS: config, DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if _, err := client.RoleAdd(ctx, User); err != nil {
		return fmt.Errorf("add the role %s: %w", User, err)
	}
	if _, err := client.RoleGrantPermission(ctx, User, UserPrefix, clientv3.GetPrefixRangeEnd(UserPrefix), clientv3.PermissionType(clientv3.PermReadWrite)); err != nil {
		return fmt.Errorf("grant the role %s: %w", User, err)
	}
	for _, user := range []struct{ name, role, file string }{{Root, "root", k.RootPassword}, {User, User, k.UserPassword}} {
		password, err := Password(user.file)
		if err != nil {
			return err
		}
		if _, err := client.UserAdd(ctx, user.name, password); err != nil {
			return fmt.Errorf("add the user %s: %w", user.name, err)
		}
		if _, err := client.UserGrantRole(ctx, user.name, user.role); err != nil {
			return fmt.Errorf("give the user %s the role %s: %w", user.name, user.role, err)
		}
	}
	if _, err := client.AuthEnable(ctx); err != nil {
		return fmt.Errorf("enable authentication: %w", err)
	}
	return nil
}

// Password reads a password from its file.
func Password(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for len(text) > 0 && text[len(text)-1] == '\n' {
		text = text[:len(text)-1]
	}
	return string(text), nil
}
