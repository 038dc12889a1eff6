package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxBuilds is more programs than a host has instances.
const maxBuilds = 2 * maxMasters

// Builds says what programs are and remembers it as long as their files stay the same. It is safe for concurrent use.
type Builds struct {
	mayRun func(path string) error

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
// SafeToRun; nil runs none.
func NewBuilds(mayRun func(path string) error) *Builds {
	return &Builds{mayRun: mayRun, known: map[fileID]known{}}
}

// Of says what the program at an absolute path is. It reads the file, which holds all that -V prints, and runs the
// program only where that fails: -V comes with no danger for nginx, but the program may not be one.
func (b *Builds) Of(ctx context.Context, path string) (Build, error) { return b.of(ctx, path, true) }

func (b *Builds) of(ctx context.Context, path string, mayRun bool) (Build, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Build{}, unknown(path, err, "correct its path")
	}

	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return Build{}, fmt.Errorf("cannot tell the version of %s: it is no file; correct its path", path)
	}

	id := fileID{status.Dev, status.Ino, info.Size(), info.ModTime()}

	b.mu.Lock()
	defer b.mu.Unlock()

	if k, ok := b.known[id]; ok {
		return k.build, k.err
	}

	build, err := b.find(ctx, path, mayRun)

	// A caller who gave up, or who may not run it, says nothing of the program.
	if err != nil && (ctx.Err() != nil || !mayRun) {
		return build, err
	}

	if len(b.known) >= maxBuilds {
		clear(b.known)
	}

	b.known[id] = known{build, err}

	return build, err
}

func (b *Builds) find(ctx context.Context, path string, mayRun bool) (Build, error) {
	build, err := readBuild(path)
	if err == nil {
		return build, nil
	}

	switch {
	case b.mayRun == nil:
		mayRun = false
	case mayRun:
		if refusal := b.mayRun(path); refusal != nil {
			return Build{}, fmt.Errorf("cannot tell the version of %s: %w, and %w", path, bare(err), refusal)
		}
	}

	if mayRun {
		build, err = runVersion(ctx, path)
	}

	if err == nil {
		return build, nil
	}

	return Build{}, unknown(path, err, "check that it is nginx")
}

// unknown is the error of a program that did not tell its version.
func unknown(path string, err error, mend string) error {
	if errors.Is(err, os.ErrPermission) {
		mend = "run as root"
	}

	return fmt.Errorf("cannot tell the version of %s: %w; %s", path, bare(err), mend)
}
