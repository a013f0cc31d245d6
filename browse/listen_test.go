package browse

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-holdfast/holdfast"
)

func TestOnlyLoopbackUnlessAskedFor(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0", "127.0.0.1.example.org:0"} {
		listener, err := Listen(t.Context(), address, false)
		var wrong *AddressError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "--insecure-listen") {
			t.Errorf("%s: %v", address, err)
		}
		if listener != nil {
			_ = listener.Close()
		}
	}
	for address, anywhere := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, "127.8.9.10:0": false, "0.0.0.0:0": true} {
		listener, err := Listen(t.Context(), address, anywhere)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_ = listener.Close()
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	taken, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String(): "listens at " + taken.Addr().String() + " already", "7070": "no address with a port", "127.0.0.1": "no address with a port",
		"127.0.0.1:http-no": "listen at", "": "no address with a port",
	} {
		_, err := Listen(t.Context(), address, false)
		var wrong *AddressError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// Serve answers until its context ends, and then returns though a connection is open.
func TestServeEndsInGoodOrder(t *testing.T) {
	s := serving(t, one("quick", 7, 0))
	listener, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, listener, s.handler) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + listener.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	idle, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	cancel()
	if err := <-ended; err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("status %d, end: %v", answer.StatusCode, err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the address is still served")
	}
}

func TestServeSaysWhatWentWrong(t *testing.T) {
	listener, err := Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if err := Serve(t.Context(), listener, http.NotFoundHandler()); err == nil {
		t.Error("a closed listener was served")
	}
}

func TestDirectoriesThatAreNone(t *testing.T) {
	directory := t.TempDir()
	put(t, filepath.Join(directory, "run", holdfast.InfoFile), "{}")
	put(t, filepath.Join(directory, "file"), "")
	for name, want := range map[string]string{"none": "there is no directory", "run": "is a single run directory", "file": "open the directory"} {
		if _, err := NewHandler(Options{Directory: filepath.Join(directory, name)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	handler, err := NewHandler(Options{Directory: directory})
	if err != nil {
		t.Fatal(err)
	}
	defer handler.Close()
	if err := os.RemoveAll(directory); err != nil {
		t.Fatal(err)
	}
	s := &shelf{t, directory, handler}
	if _, body := s.get("/", http.StatusInternalServerError); !strings.Contains(body, "there is no directory") {
		t.Error(body)
	}
	again := one("quick", 7, 0)
	again.make(t, directory) // the old one was opened, and is not this one
	s.shows("/", "1 run", "quick")
	s.get(fileLink(again.name, holdfast.InfoFile), http.StatusOK)
}
