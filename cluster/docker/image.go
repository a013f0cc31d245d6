package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
)

// program is where the program is in an image that is made here.
const program = "/holdfast"

// imageRepository is the name of the images that are made here; their tag says of
// what.
const imageRepository = "holdfast"

// ensureImage makes an image FROM scratch of a program that is on this machine, with
// all that it needs, unless the engine has it. It returns its name.
func (e *engine) ensureImage(ctx context.Context, m mark, binary string, say func(string, ...any)) (string, error) {
	needs, err := filesOf(binary, e.arch)
	if err != nil {
		return "", err
	}
	digest, err := digestOf(needs)
	if err != nil {
		return "", err
	}
	name := imageRepository + ":" + digest
	_, err = e.ImageInspect(ctx, name)
	if err == nil || !errdefs.IsNotFound(err) {
		return name, err
	}
	say("making the image %s of %s", name, binary)
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(writeContext(writer, needs)) }()
	defer func() { _ = reader.Close() }()
	result, err := e.ImageBuild(ctx, reader, client.ImageBuildOptions{
		Version: build.BuilderV1, Tags: []string{name}, Remove: true, ForceRemove: true,
		Labels: map[string]string{imageLabel: digest, harnessLabel: m.harness, machineLabel: m.machine},
	})
	if err != nil {
		return "", fmt.Errorf("make an image of %s: %w", binary, err)
	}
	defer func() { _ = result.Body.Close() }()
	if err := complaintOf(result.Body); err != nil {
		return "", fmt.Errorf("make an image of %s: %w", binary, err)
	}
	return name, nil
}

// complaintOf reads what an engine says while it builds or pulls, and returns what it
// could not do.
func complaintOf(body io.Reader) error {
	lines := json.NewDecoder(body)
	for {
		var line struct{ Error string }
		err := lines.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Error != "":
			return errors.New(line.Error)
		}
	}
}

// file is one that goes into an image.
type file struct {
	from, to string // on this machine, and in the image
}

// writeContext writes what an image is built from: the Dockerfile, and the files below
// root.
func writeContext(w io.Writer, files []file) error {
	archive := tar.NewWriter(w)
	text := dockerfile(files)
	if err := archive.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	if _, err := archive.Write(text); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(archive, f); err != nil {
			return err
		}
	}
	return archive.Close()
}

func writeFile(archive *tar.Writer, f file) error {
	source, err := os.Open(f.from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	// One time for all, so that the same files are the same image.
	header := &tar.Header{Name: path.Join("root", f.to), Mode: 0o755, Size: info.Size(), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.CopyN(archive, source, info.Size())
	return err
}

// dockerfile builds an image in which the libraries are found wherever they are.
func dockerfile(files []file) []byte {
	var text bytes.Buffer
	text.WriteString("FROM scratch\nCOPY root/ /\n")
	var directories []string
	seen := make(map[string]bool)
	for _, f := range files[1:] {
		if d := path.Dir(f.to); !seen[d] {
			seen[d] = true
			directories = append(directories, d)
		}
	}
	if len(directories) > 0 {
		fmt.Fprintf(&text, "ENV LD_LIBRARY_PATH=%s\n", strings.Join(directories, ":"))
	}
	fmt.Fprintf(&text, "ENTRYPOINT [%q]\n", program)
	return text.Bytes()
}
