package instance

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
)

var errRelative = errors.New("it is relative")

// withConfigured gives the running instances that the administrator named their names and adds those that do not run.
func (f *Finder) withConfigured(ctx context.Context, all []Instance) []Instance {
	for _, c := range f.configured {
		i := Instance{
			Name: c.Name, Configured: true, Binary: c.Binary,
			Arguments: Arguments{Config: c.Config, Prefix: c.Prefix},
		}
		i.setBuild(f.builds.of(ctx, c.Binary, true))
		i.resolvePaths(func() (string, error) { return "", errRelative }, ProductNginx)

		at := slices.IndexFunc(all, func(running Instance) bool { return running.Master != nil && running.is(&i) })
		if at < 0 {
			all = append(all, i)

			continue
		}

		all[at].Name, all[at].Configured = c.Name, true

		if m := all[at].Master; m.ArgumentsCut || m.UID != 0 && m.UID != os.Geteuid() {
			// What the administrator says is whole, and no ordinary user's.
			all[at].Arguments, all[at].Prefix, all[at].Config = i.Arguments, i.Prefix, i.Config
			all[at].Master.ArgumentsCut = false
		}
	}

	for at := range all {
		if m := all[at].Master; m != nil && m.ArgumentsCut {
			all[at].addProblem("cannot see the whole command line of process %d, for there was no room in its title; "+
				"name this instance in the configuration", m.PID)
		}
	}

	slices.SortStableFunc(all, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })

	return all
}

// is tells whether two instances agree in program and configuration file.
func (i *Instance) is(other *Instance) bool {
	if i.Configured || i.Master.Root.Differs || !sameFile(i.Binary, other.Binary) {
		return false
	}

	if given := i.Arguments.Config; i.Master.ArgumentsCut {
		return strings.HasPrefix(other.Config, given)
	}

	return sameFile(i.Config, other.Config)
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}

	first, err := os.Stat(a)
	if err != nil {
		return false
	}

	second, err := os.Stat(b)

	return err == nil && os.SameFile(first, second)
}

// bare is the reason alone, without the path that the caller names better.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}

	return err
}
