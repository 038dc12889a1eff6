package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// maxBuilds is more programs than a host has instances.
const maxBuilds = 2 * maxMasters

// Builds says what programs are and remembers it as long as their files stay the same. It is safe for concurrent use.
type Builds struct {
	mayRun  func(path string) error
	sandbox *sandbox.Sandbox

	mu    sync.Mutex
	known map[fileID]known
}

// fileID changes with whatever replaces a file or writes to it.
type fileID struct {
	device, inode uint64
	size          int64
	modified      time.Time
}

type known struct {
	build Build
	err   error
}

// NewBuilds runs only a program that its file does not tell enough of and that mayRun has no error for, such as
// SafeToRun; nil runs none. It runs them in a sandbox.
func NewBuilds(mayRun func(path string) error) *Builds {
	return &Builds{mayRun: mayRun, sandbox: sandbox.New(), known: map[fileID]known{}}
}

// Of says what the program at an absolute path is. It reads the file, which holds all that -V prints, and runs the
// program only where that fails: -V comes with no danger for nginx, but the program may not be one.
func (b *Builds) Of(ctx context.Context, path string) (Build, error) {
	return b.of(ctx, tree.Tree{}, path, true)
}

func (b *Builds) of(ctx context.Context, in tree.Tree, path string, mayRun bool) (Build, error) {
	b.mu.Lock()
	defer b.mu.Unlock()

	var read reading
	if err := in.Do(func() { read = b.read(path, mayRun) }); err != nil {
		return Build{}, unknown(path, err, "check that it runs")
	}

	if !read.isNew {
		return read.build, read.err
	}

	if read.mustRun {
		if read.build, read.err = b.run(ctx, in, path); read.err != nil {
			read.err = unknown(path, read.err, "check that it is nginx")
		}
	}

	// A caller who gave up, or who may not run it, says nothing of the program.
	if read.err != nil && (ctx.Err() != nil || !mayRun) {
		return read.build, read.err
	}

	if len(b.known) >= maxBuilds {
		clear(b.known)
	}

	b.known[read.id] = known{read.build, read.err}

	return read.build, read.err
}

// reading is what a program's file tells.
type reading struct {
	known
	id fileID
	// isNew says that it was not known before, mustRun that the program is to be asked.
	isNew, mustRun bool
}

// read reads a program's file unless it is known. The caller holds the lock.
func (b *Builds) read(path string, mayRun bool) (r reading) {
	info, err := os.Stat(path)
	if err != nil {
		r.err = unknown(path, err, "correct its path")

		return r
	}

	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		r.err = fmt.Errorf("cannot tell the version of %s: it is no file; correct its path", path)

		return r
	}

	r.id = fileID{status.Dev, status.Ino, info.Size(), info.ModTime()}

	found, ok := b.known[r.id]
	if ok {
		r.known = found

		return r
	}

	r.isNew = true

	if r.build, err = readBuild(path); err == nil {
		return r
	}

	if mayRun && b.mayRun != nil {
		if refusal := b.mayRun(path); refusal != nil {
			r.err = fmt.Errorf("cannot tell the version of %s: %w, and %w", path, bare(err), refusal)
		} else {
			r.mustRun = true
		}

		return r
	}

	r.err = unknown(path, err, "check that it is nginx")

	return r
}

// unknown is the error of a program that did not tell its version.
func unknown(path string, err error, mend string) error {
	if errors.Is(err, os.ErrPermission) {
		mend = "run as root"
	}

	return fmt.Errorf("cannot tell the version of %s: %w; %s", path, bare(err), mend)
}
