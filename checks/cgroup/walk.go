package cgroup

import (
	"context"
	"os"
	"path"
	"path/filepath"
)

// MaxGroups bounds what a walk costs on a host with thousands of customers' cgroups.
const MaxGroups = 20_000

// Group is a cgroup that a walk comes to.
type Group struct {
	// Dir is its directory, and Path the part of it below the mount, such as "/system.slice/nginx.service".
	Dir, Path string
	// Unit is the path of the unit to which it belongs: its own where it is a unit, or has no other below it, as a container's; empty for what lies
	// above the units, such as a slice.
	Unit string
}

// Walk visits the cgroups below a mount, each before those below it, as long as visit is true. Inside has it go into units as well. It is incomplete
// where there were more cgroups than MaxGroups, or the context ended before.
func Walk(ctx context.Context, mount string, inside bool, visit func(Group) bool) (complete bool) {
	w := walk{ctx: ctx, inside: inside, take: visit, left: MaxGroups}

	return w.run(mount)
}

type walk struct {
	ctx        context.Context
	inside     bool
	take       func(Group) bool
	left       int
	incomplete bool
}

func (w *walk) run(mount string) (complete bool) {
	for _, name := range directories(mount) {
		if !w.visit(Group{Dir: filepath.Join(mount, name), Path: "/" + name}) {
			break
		}
	}

	return !w.incomplete && w.ctx.Err() == nil
}

// visit is false where the walk is to end.
func (w *walk) visit(g Group) (goOn bool) {
	if w.left--; w.left < 0 || w.ctx.Err() != nil {
		w.incomplete = true

		return false
	}

	var below []string
	if w.inside || !isUnit(g.Path) {
		below = directories(g.Dir)
	}

	if g.Unit == "" && (isUnit(g.Path) || len(below) == 0) {
		g.Unit = g.Path
	}

	goOn = w.take(g)

	for _, name := range below {
		goOn = goOn && w.visit(Group{Dir: filepath.Join(g.Dir, name), Path: path.Join(g.Path, name), Unit: g.Unit})
	}

	return goOn
}

// directories is empty for a cgroup that has gone away, or that is closed to this user.
func directories(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}

	var names []string

	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}

	return names
}
