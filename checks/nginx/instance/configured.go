package instance

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

var errRelative = errors.New("it is relative")

// withConfigured gives the running instances that the administrator named their names and adds those that do not run.
func (f *Finder) withConfigured(ctx context.Context, all []Instance) []Instance {
	for _, c := range f.configured {
		i := Instance{
			Name: c.Name, Configured: true, Binary: c.Binary,
			Arguments: Arguments{Config: c.Config, Prefix: c.Prefix},
		}
		i.setBuild(f.builds.of(ctx, f.host, c.Binary, true))
		i.resolvePaths(func() (string, error) { return "", errRelative }, ProductNginx)

		at := slices.IndexFunc(all, func(running Instance) bool { return running.Master != nil && f.isRunning(&i, &running) })
		if at < 0 {
			all = append(all, i)

			continue
		}

		all[at].Name, all[at].Configured = c.Name, true

		if m := all[at].Master; m.ArgumentsCut || !m.Trusted() {
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

// isRunning tells whether a configured instance agrees with a running one in program and configuration file.
func (f *Finder) isRunning(i, running *Instance) bool {
	if running.Configured || running.Master.Root.Differs || !f.sameFile(i.Binary, running, running.Binary) {
		return false
	}

	if given := running.Arguments.Config; running.Master.ArgumentsCut {
		return strings.HasPrefix(i.Config, given)
	}

	return f.sameFile(i.Config, running, running.Config)
}

// sameFile compares a file of the host with one of a running instance.
func (f *Finder) sameFile(ours string, running *Instance, theirs string) bool {
	if ours == theirs {
		return true
	}

	first, err := statIn(f.host, ours)
	if err != nil {
		return false
	}

	second, err := statIn(running.Master.Tree, theirs)

	return err == nil && os.SameFile(first, second)
}

func statIn(in tree.Tree, path string) (info fs.FileInfo, err error) {
	if unreachable := in.Do(func() { info, err = os.Stat(path) }); unreachable != nil {
		return nil, unreachable
	}

	return info, err
}

// bare is the reason alone, without the path that the caller names better.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}

	return err
}
