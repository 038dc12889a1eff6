package instance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// searchPath is where a program is looked for whose title has no directory, when nobody may ask for more.
var searchPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// resolve finds out the program and the paths of a running instance. It is false for an nginx that only tests, which
// with Angie has a master's title.
func (f *Finder) resolve(ctx context.Context, p proc, i *Instance, t title) bool {
	m := i.Master
	path, deleted, err := p.executable(m.PID, m.Root)

	c := parseCommand(t.command, path)
	if c.testing {
		return false
	}

	i.Arguments = c.arguments
	m.ArgumentsCut = t.cut || c.dangling

	if err != nil {
		path = lookUp(c.program)
		m.BinaryFromTitle = true
		i.addProblem("cannot see the program of process %d (%v), so its title is believed; run as root", m.PID, bare(err))
	}

	i.Binary, m.Deleted = path, deleted
	if deleted {
		// Where nobody may look, nothing is known to be there.
		_ = m.Tree.Do(func() {
			info, err := os.Stat(path)
			m.Replaced = err == nil && info.Mode().IsRegular()
		})
	}

	f.identify(ctx, p, i)
	i.resolvePaths(func() (string, error) { return p.workingDirectory(m.PID, m.Root) }, m.Product)
	i.Name = nameOf(i.Config, m)

	return true
}

// identify finds out what the program is. One of another root directory is read only, and through the process, for the
// links of a container lead astray here.
func (f *Finder) identify(ctx context.Context, p proc, i *Instance) {
	m := i.Master
	path, in, mayRun := i.Binary, m.Tree, m.Root.Known && !m.BinaryFromTitle

	if m.Root.Differs || m.Deleted && !m.Replaced {
		path, in, mayRun = p.path(m.PID, "exe"), tree.Tree{}, false
	}

	i.setBuild(f.builds.of(ctx, in, path, mayRun))
}

func (i *Instance) setBuild(b Build, err error) {
	if err != nil {
		i.BuildError = err.Error()
	} else {
		i.Build = &b
	}
}

// resolvePaths finds prefix and configuration file as ngx_process_options does.
func (i *Instance) resolvePaths(workingDirectory func() (string, error), product Product) {
	config := i.Arguments.Config
	i.Prefix = i.Arguments.Prefix

	switch b := i.Build; {
	case b != nil:
		i.Prefix = orElse(i.Prefix, b.Prefix())
		config = orElse(config, b.Config())
	case config == "" || !filepath.IsAbs(config) && i.Prefix == "":
		i.ConfigGuessed = true
		config = product.packagedConfig()
	}

	if i.Prefix == "" {
		i.Prefix, _, _, _ = product.defaults()
	}

	if !filepath.IsAbs(i.Prefix) {
		dir, err := workingDirectory()
		if err != nil {
			i.ConfigGuessed = !filepath.IsAbs(config)
			i.addProblem("cannot tell the directory of the prefix %q (%v); start nginx with an absolute -p", i.Prefix, bare(err))
		}

		i.Prefix = join(orElse(dir, "/"), i.Prefix)
	}

	i.Config = join(i.Prefix, config)
}

// join does not take a ".." away, which means another directory behind a link.
func join(dir, path string) string {
	switch {
	case filepath.IsAbs(path):
		return path
	case strings.Contains(path, ".."):
		return strings.TrimSuffix(dir, "/") + "/" + path
	default:
		return filepath.Join(dir, path)
	}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}

	return text
}

func (p proc) workingDirectory(pid int, root Root) (string, error) {
	dir, err := os.Readlink(p.path(pid, "cwd"))
	if inside, ok := strings.CutPrefix(dir, root.Dir); ok && root.Differs && root.Dir != "/" {
		dir = orElse(inside, "/")
	}

	return dir, err
}

// lookUp finds a program by the name in a title.
func lookUp(name string) string {
	if strings.Contains(name, "/") {
		return name
	}

	for _, dir := range searchPath {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}

	return name
}

func (i *Instance) addProblem(format string, args ...any) {
	i.Problems = append(i.Problems, fmt.Sprintf(format, args...))
}
