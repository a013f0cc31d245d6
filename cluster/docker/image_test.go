package docker

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What is no program for the engine's machine is refused with how to build one.
func TestProgramsThatCannotBeAMembers(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	for _, test := range []struct{ name, binary, arch, want string }{
		{"a script", text, runtime.GOARCH, "no program for Linux; build one with GOOS=linux GOARCH=" + runtime.GOARCH},
		{"another processor", self, other, "for another processor"},
		{"nothing", text + "-not", runtime.GOARCH, "no such file"},
	} {
		_, err := filesOf(test.binary, test.arch)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	t.Setenv(BinaryVariable, text+"-not")
	if _, err := ownBinary(); err == nil || !strings.Contains(err.Error(), BinaryVariable) {
		t.Errorf("a program that is not there is named: %v", err)
	}
	t.Setenv(BinaryVariable, text)
	if binary, err := ownBinary(); err != nil || binary != text {
		t.Errorf("%s, %v", binary, err)
	}
}

// A program comes with what loads it and with all libraries, its own and theirs.
func TestADynamicProgramBringsItsLibraries(t *testing.T) {
	shell := "/bin/sh"
	f, err := elf.Open(shell)
	if err != nil {
		t.Skipf("there is no %s that is a program for Linux: %v", shell, err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) == 0 {
		t.Skipf("%s needs no libraries here (%v)", shell, err)
	}
	files, err := filesOf(shell, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	if files[0] != (file{shell, program}) {
		t.Errorf("first is %v", files[0])
	}
	var has []string
	for _, f := range files[1:] {
		if f.from != f.to {
			t.Errorf("%s moves to %s", f.from, f.to)
		}
		has = append(has, filepath.Base(f.to))
	}
	for _, want := range libraries {
		if !slices.Contains(has, want) {
			t.Errorf("%s is missing of %v", want, has)
		}
	}
	if !strings.Contains(string(dockerfile(files)), "LD_LIBRARY_PATH="+filepath.Dir(files[1].to)) {
		t.Errorf("%s", dockerfile(files))
	}
}

// An image is named after what is in it, and where.
func TestDigests(t *testing.T) {
	directory := t.TempDir()
	named := func(name, content string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	digest := func(files ...file) string {
		d, err := digestOf(files)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, same, b := named("a", "one"), named("same", "one"), named("b", "two")
	if digest(file{a, program}) != digest(file{same, program}) {
		t.Error("one content has two names")
	}
	for i, other := range [][]file{{{b, program}}, {{a, "/else"}}, {{a, program}, {b, "/lib/b"}}} {
		if digest(file{a, program}) == digest(other...) {
			t.Errorf("another content has the same name: %d", i)
		}
	}
	if _, err := digestOf([]file{{a + "-not", program}}); err == nil {
		t.Error("what is not there has a name")
	}
}

// What an image is built from holds the files, which can be run.
func TestBuildContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	if err := writeContext(&written, []file{{path, program}}); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	archive := tar.NewReader(&written)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		got[header.Name] = string(content)
		if header.Name == "root/holdfast" && header.Mode&0o111 != 0o111 {
			t.Errorf("the mode of the program is %o", header.Mode)
		}
	}
	if got["root/holdfast"] != "a program" || !strings.HasPrefix(got["Dockerfile"], "FROM scratch\n") || len(got) != 2 {
		t.Errorf("%q", got)
	}
	if err := writeContext(io.Discard, []file{{path + "-not", program}}); err == nil {
		t.Error("what is not there was written")
	}
}

// What an engine could not build or pull is told.
func TestComplaints(t *testing.T) {
	for said, want := range map[string]string{
		`{"stream":"Step 1/3"}{"stream":"done"}`:         "",
		`{"stream":"Step 1/3"}{"error":"no space left"}`: "no space left",
		`{"stream":`: "unexpected EOF",
		``:           "",
	} {
		err := complaintOf(strings.NewReader(said))
		if got := ""; err != nil && err.Error() != want || err == nil && want != got {
			t.Errorf("%s: %v, want %q", said, err, want)
		}
	}
}
