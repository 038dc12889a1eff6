package tree

import (
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

// View is a tree that is open. It stays as it is when its process ends: the mounts of a namespace that nobody holds are taken apart, and
// what was hidden below them would come to light. It must be closed. The zero value is of this process's own tree.
type View struct {
	tree Tree
	// open says that root and mounts, the root directory and the mount namespace, are another process's.
	open         bool
	root, mounts int
}

// Open opens the tree. It fails where this process may not look there, and with ErrEnded for a process that has ended.
func (t Tree) Open() (View, error) {
	if t == (Tree{}) {
		return View{}, nil
	}

	process, err := OpenProcess(t.Proc, t.PID, t.StartTicks)
	if err != nil {
		return View{}, t.unreachable(err)
	}
	defer func() { _ = unix.Close(process) }()

	v, err := OpenView(process)
	v.tree = t

	if err != nil {
		err = t.unreachable(err)
	}

	return v, err
}

// OpenView opens the tree of a process that is open.
func OpenView(process int) (View, error) {
	root, err := unix.Openat(process, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return View{}, ended(err)
	}

	mounts, err := unix.Openat(process, "ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(root)

		return View{}, ended(err)
	}

	return View{open: true, root: root, mounts: mounts}, nil
}

// Do has look see the tree by the paths of its process, in the calling goroutine only: what it starts with go does not. It returns
// when look has. Where this process may not look there, look is not called.
func (v *View) Do(look func()) error {
	if !v.open {
		look()

		return nil
	}

	return thread.Run(func() error {
		if err := v.Enter(); err != nil {
			return v.tree.unreachable(err)
		}

		look()

		return nil
	})
}

// Enter moves the calling thread, which must be locked and is never used again, into the tree.
func (v *View) Enter() error {
	if !v.open {
		return nil
	}

	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}

	if err := unix.Fchdir(v.root); err != nil {
		return err
	}

	return unix.Chroot(".")
}

// Close closes what is open. It may be called again.
func (v *View) Close() {
	if v.open {
		_ = unix.Close(v.root)
		_ = unix.Close(v.mounts)
		v.open = false
	}
}
