package etcdbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoGo is returned where a server has to be made and there is no go command.
var ErrNoGo = errors.New("to build etcd takes the Go toolchain, and there is no go command in the path; install it from https://go.dev/dl, or name a binary with --etcd PATH")

// Ensure is the function of this name, for this builder.
func (b Builder) Ensure(ctx context.Context, text string, progress func(line string)) (path string, err error) {
	if progress == nil {
		progress = func(string) {}
	}
	v, err := parseVersion(text)
	if err != nil {
		return "", err
	}
	place, err := b.place(v)
	if err != nil {
		return "", err
	}
	path = filepath.Join(place, binary)
	if kept(path) {
		return path, nil
	}
	from, err := v.origin()
	if err != nil {
		return "", err
	}
	if b.Go == "" {
		b.Go = "go"
	}
	if b.Go, err = exec.LookPath(b.Go); err != nil {
		return "", ErrNoGo
	}
	unlock, err := lock(ctx, place+".lock", func() { progress(fmt.Sprintf("etcd %s is being built by another holdfast: waiting for it", v)) })
	if err != nil {
		return "", fmt.Errorf("build etcd %s: %w", v, err)
	}
	defer unlock()
	if kept(path) { // the other one made it
		return path, nil
	}
	progress(fmt.Sprintf("etcd %s is built, once, and kept in %s: this takes a minute or so", v, place))
	if err := b.build(ctx, v, from, place, progress); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", err
	}
	progress(fmt.Sprintf("etcd %s is built", v))
	return path, nil
}

func kept(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o100 != 0
}

// build makes a server in a directory beside its place, and renames that.
func (b Builder) build(ctx context.Context, v version, from origin, place string, progress func(string)) (err error) {
	scratch, err := os.MkdirTemp(filepath.Dir(place), "building-")
	if err != nil {
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	tool, err := newTool(b.Go, scratch)
	if err != nil {
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	defer func() { err = errors.Join(err, tool.close()) }()

	if err := tool.have(ctx, v, from); err != nil {
		return err
	}
	language, err := tool.language(ctx)
	if err != nil {
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	for name, text := range map[string]string{"go.mod": module(from, language), "main.go": program(from)} {
		if err := os.WriteFile(filepath.Join(scratch, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("build etcd %s: %w", v, err)
		}
	}
	made := filepath.Join(scratch, "made", binary)
	_, err = tool.run(ctx, narrator(progress), "build", "-v", "-trimpath", "-ldflags=-s -w", "-o", made, ".")
	if err != nil {
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	said, err := says(ctx, made)
	if err != nil {
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	if said != v.String() {
		return fmt.Errorf("build etcd %s: what came out says that it is %q", v, said)
	}
	if err := os.RemoveAll(place); err != nil { // what has no server in it
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	if err := os.Rename(filepath.Dir(made), place); err != nil {
		return fmt.Errorf("build etcd %s: %w", v, err)
	}
	return nil
}

// module is the go.mod of the program: it requires the server, whose own
// requirements decide the rest.
func module(from origin, language string) string {
	text := "module etcd\n\ngo " + language + "\n\nrequire (\n\t" + from.module + " " + from.version + "\n"
	for _, also := range from.also {
		text += "\t" + also + "\n"
	}
	return text + ")\n"
}

// program is etcd's own main function.
func program(from origin) string {
	call := "etcdmain.Main(os.Args)"
	imports := "import (\n\t\"os\"\n\n\t\"" + from.packagePath() + "\"\n)\n"
	if from.argless {
		call, imports = "etcdmain.Main()", "import \""+from.packagePath()+"\"\n"
	}
	return "// Command etcd is etcd's server, built by holdfast.\npackage main\n\n" + imports + "\nfunc main() { " + call + " }\n"
}

// narrator makes lines of what the go command says: the modules that it downloads
// and the packages that it compiles.
func narrator(progress func(string)) func(string) {
	const every = 50
	modules, packages := 0, 0
	return func(line string) {
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			if modules++; modules == 1 || modules%every == 0 {
				progress(fmt.Sprintf("downloading modules: %d so far", modules))
			}
		case !strings.HasPrefix(line, "go: ") && !strings.HasPrefix(line, "#") && !strings.ContainsAny(line, " \t"):
			if packages++; packages == 1 || packages%every == 0 {
				progress(fmt.Sprintf("compiling packages: %d so far", packages))
			}
		}
	}
}
