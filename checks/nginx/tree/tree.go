// Package tree looks at files as another process sees them: below its root directory, through its mounts, with links that lead
// where they lead for it.
//
// The mount namespace of the process is not entered. A path leads on from where its start is mounted, so that whoever has the root
// directory of the process is in its tree (path_resolution(7)), read-only mounts included. That takes the right to trace the process
// and CAP_SYS_CHROOT, while setns(2) takes CAP_SYS_ADMIN.
package tree

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Tree is the root directory of a process and all that is mounted below it. The zero value is this process's own.
type Tree struct {
	// Proc is where proc(5) is mounted, PID a process that has the tree.
	Proc string
	PID  int
	// StartTicks tells a process that took the number over (OpenProcess); 0 trusts the number.
	StartTicks uint64
}

// Of is the tree of a process, the zero value where it is this process's own. One that cannot be told is taken for another.
func Of(proc string, pid int) Tree {
	t := Tree{Proc: proc, PID: pid}

	process, err := OpenProcess(proc, pid, 0)
	if err != nil {
		return t
	}
	defer func() { _ = unix.Close(process) }()

	if differs, err := Differs(process); err == nil && !differs {
		return Tree{}
	}

	return t
}

// Do is View.Do for a tree that is opened for it alone.
func (t Tree) Do(look func()) error {
	v, err := t.Open()
	if err != nil {
		return err
	}
	defer v.Close()

	return v.Do(look)
}

func (t Tree) unreachable(err error) error {
	return fmt.Errorf("cannot look at the files of process %d: %w; run as root with CAP_SYS_CHROOT and CAP_SYS_PTRACE, and while it runs", t.PID, err)
}
