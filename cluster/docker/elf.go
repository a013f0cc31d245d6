package docker

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// BinaryVariable names a program for Linux of which the image is made, where this one
// is not one.
const BinaryVariable = "HOLDFAST_LINUX_BINARY"

// ownBinary is the program of which the members' image is made: this one, or the one
// that BinaryVariable names.
func ownBinary() (string, error) {
	if binary := os.Getenv(BinaryVariable); binary != "" {
		if _, err := os.Stat(binary); err != nil {
			return "", fmt.Errorf("%s: %w", BinaryVariable, err)
		}
		return binary, nil
	}
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil // itself, even if its file has been replaced
	}
	return os.Executable()
}

// filesOf are the program, first, and the libraries that it needs, with where they go
// in an image.
func filesOf(binary, arch string) ([]file, error) {
	files := []file{{binary, program}}
	needed, interpreter, err := needsOf(binary, arch)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be a member's program: %w", binary, err)
	}
	if interpreter == "" {
		return files, nil
	}
	files = append(files, file{interpreter, interpreter})
	has := map[string]bool{filepath.Base(interpreter): true}
	for len(needed) > 0 {
		library := needed[0]
		needed = needed[1:]
		if has[library] {
			continue
		}
		has[library] = true
		path, more, err := findLibrary(library, arch)
		if err != nil {
			return nil, fmt.Errorf("%s needs %s: %w; a static program needs none: build it with CGO_ENABLED=0, or name one with %s", binary, library, err, BinaryVariable)
		}
		files = append(files, file{path, path})
		needed = append(needed, more...)
	}
	return files, nil
}

// libraryDirectories are where the usual loaders look.
func libraryDirectories(arch string) []string {
	triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[arch]
	return []string{"/lib/" + triplet, "/usr/lib/" + triplet, "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}
}

func findLibrary(name, arch string) (path string, needed []string, err error) {
	for _, directory := range libraryDirectories(arch) {
		path := filepath.Join(directory, name)
		if needed, _, err := needsOf(path, arch); err == nil {
			return path, needed, nil
		}
	}
	return "", nil, errors.New("it is in none of the usual directories")
}

// needsOf are the libraries that a program or library needs, and what loads them; ""
// is that it needs none.
func needsOf(path, arch string) (needed []string, interpreter string, err error) {
	machine, known := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", fmt.Errorf("it is no program for Linux; %s", howToBuild(arch))
	}
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }()
	if known && f.Machine != machine {
		return nil, "", fmt.Errorf("it is for another processor (%v) than the Docker engine's machine has; %s", f.Machine, howToBuild(arch))
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			text, err := io.ReadAll(p.Open())
			if err != nil {
				return nil, "", err
			}
			interpreter = string(text[:max(len(text)-1, 0)]) // it ends with a zero
		}
	}
	needed, err = f.ImportedLibraries()
	return needed, interpreter, err
}

func howToBuild(arch string) string {
	return fmt.Sprintf("build one with GOOS=linux GOARCH=%s CGO_ENABLED=0 go build -o holdfast-linux ./cmd/holdfast, and name it with %s=holdfast-linux", arch, BinaryVariable)
}

// digestOf names an image that is made of files.
func digestOf(files []file) (string, error) {
	sum := sha256.New()
	_, _ = sum.Write(dockerfile(files)) // it never fails
	for _, f := range files {
		_, _ = fmt.Fprintf(sum, "%s\x00", f.to)
		if err := addTo(sum, f.from); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

func addTo(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "%d\x00", info.Size())
	_, err = io.Copy(w, f)
	return err
}
