package packaging

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
)

const (
	pluginName = "zabbix-agent2-plugin-hosting"
	helperName = "zabbix-hosting-helper"

	toolsFile = "plugin/packaging/tools.mod"
	nfpmFile  = "plugin/packaging/nfpm.yaml"
)

// Options say which packages to build. The zero value stands for all, in the version that git and the changelog tell.
type Options struct {
	Version string
	Formats []string // deb, rpm
	Arches  []string // amd64, arm64
}

// builder builds packages out of the repository at root. All times in them are that of the last commit, so that the same commit gives
// the same packages.
type builder struct {
	root, epoch string
	Options
}

// Build writes the packages into the directory out and returns their paths, sorted. What is in out already stays.
func Build(ctx context.Context, out string, o Options) ([]string, error) {
	b, err := newBuilder(ctx, o)
	if err != nil {
		return nil, err
	}

	work, err := os.MkdirTemp("", "packages")
	if err != nil {
		return nil, fmt.Errorf("cannot make a directory for the programs: %w; free space in %s", err, os.TempDir())
	}
	defer func() { _ = os.RemoveAll(work) }()

	if out, err = filepath.Abs(out); err == nil {
		err = os.MkdirAll(out, 0o755)
	}

	if err != nil {
		return nil, fmt.Errorf("cannot make the packages' directory: %w; run this as the owner of the repository", err)
	}

	var paths []string

	for _, arch := range b.Arches {
		built, err := b.programs(ctx, filepath.Join(work, arch), arch)
		if err != nil {
			return nil, err
		}

		for _, format := range b.Formats {
			path, err := b.nfpm(ctx, built, out, format, arch)
			if err != nil {
				return nil, err
			}

			paths = append(paths, path)
		}
	}

	slices.Sort(paths)

	return paths, nil
}

func newBuilder(ctx context.Context, o Options) (*builder, error) {
	if len(o.Formats) == 0 {
		o.Formats = []string{"deb", "rpm"}
	}

	if len(o.Arches) == 0 {
		o.Arches = []string{"amd64", "arm64"}
	}

	root, err := builddir.Root()
	if err != nil {
		return nil, err
	}

	b := &builder{root: root, Options: o}
	if b.epoch, err = b.git(ctx, "log", "-1", "--format=%ct"); err != nil {
		return nil, err
	}

	if b.Version == "" {
		b.Version, err = b.version(ctx)
	}

	return b, err
}

func (b *builder) version(ctx context.Context) (string, error) {
	describe, err := b.git(ctx, "describe", "--tags", "--match", "v[0-9]*", "--long", "--always", "--dirty")
	if err != nil {
		return "", err
	}

	commits, err := b.git(ctx, "rev-list", "--count", "HEAD")
	if err != nil {
		return "", err
	}

	changelog, err := os.ReadFile(filepath.Join(b.root, "CHANGELOG.md"))
	if err != nil {
		return "", fmt.Errorf("cannot tell the version: %w; restore that file", err)
	}

	return versionOf(describe, commits, string(changelog))
}

func (b *builder) git(ctx context.Context, arguments ...string) (string, error) {
	said, err := b.run(ctx, nil, "git", arguments...)
	if err != nil {
		return "", fmt.Errorf("cannot ask git about the version: %w; build in a clone of the repository", err)
	}

	return strings.TrimSpace(said), nil
}

// programs builds both programs for a processor into dir, and the helper's configuration beside them, which the helper prints itself.
func (b *builder) programs(ctx context.Context, dir, arch string) (string, error) {
	for _, name := range []string{pluginName, helperName} {
		_, err := b.run(ctx, []string{"GOOS=linux", "GOARCH=" + arch, "CGO_ENABLED=0"}, "go", "build", "-trimpath", "-buildvcs=false",
			"-ldflags=-s -w -X main.version="+b.Version, "-o", filepath.Join(dir, name), "./plugin/cmd/"+name)
		if err != nil {
			return "", fmt.Errorf("cannot build %s for %s: %w; mend what it says", name, arch, err)
		}
	}

	// This machine may not be able to run the program of another processor.
	text, err := b.run(ctx, nil, "go", "run", "./plugin/cmd/"+helperName, "--print-config")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, helperName+".toml"), []byte(text), 0o644)
	}

	if err != nil {
		return "", fmt.Errorf("cannot write the helper's configuration: %w; mend what it says", err)
	}

	return dir, nil
}

// nfpm packages the programs in built and returns the package's path.
func (b *builder) nfpm(ctx context.Context, built, out, format, arch string) (string, error) {
	environment := []string{"ARCH=" + arch, "VERSION=" + b.Version, "BUILT=" + built, "SOURCE_DATE_EPOCH=" + b.epoch, "GOWORK=off"}

	said, err := b.run(ctx, environment, "go", "tool", "-modfile="+toolsFile, "nfpm", "package", "--config", nfpmFile, "--packager", format, "--target", out)
	if err != nil {
		return "", fmt.Errorf("cannot make the %s for %s: %w; mend what it says", format, arch, err)
	}

	_, path, found := strings.Cut(said, "created package: ")
	if !found {
		return "", fmt.Errorf("cannot find the %s for %s: nfpm does not name it; adapt this to its version: %s", format, arch, said)
	}

	return strings.TrimSpace(path), nil
}

// run runs a command at the repository's root and returns its standard output. Its error ends with what the command said.
func (b *builder) run(ctx context.Context, environment []string, name string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = b.root
	command.Env = append(os.Environ(), environment...)

	output, err := command.Output()

	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s %s: %w (%s)", name, arguments[0], err, strings.TrimSpace(string(exit.Stderr)+string(output)))
	}

	return string(output), err
}
