package instance

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
)

// owner is whose a process is.
type owner struct {
	// uid is who chose the title: of the real and the effective user the one that is not root, for a setuid program is started by anybody.
	uid int
	// nested says that the process has a number of its own in a name space of processes below this proc's, as in a container.
	nested bool
}

func (p proc) owner(pid int) (owner, error) {
	data, err := p.read(pid, "status", maxProcFile)
	if err != nil {
		return owner{}, err
	}

	found := owner{uid: -1}

	for line := range bytes.Lines(data) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(rest)

		switch {
		case string(name) == "Uid" && len(fields) > 1:
			ids := make([]int, 2)
			for at := range ids {
				if ids[at], err = strconv.Atoi(string(fields[at])); err != nil {
					return owner{}, err
				}
			}

			found.uid = slices.Max(ids)
		case string(name) == "NSpid":
			found.nested = len(fields) > 1
		}
	}

	if found.uid < 0 {
		return owner{}, fmt.Errorf("%s names no user", p.path(pid, "status"))
	}

	return found, nil
}

// isSetuid tells whether the program of a process changes its user, as sudo does, which runs as root while it asks anybody for a password. It is false where
// this process may not look.
func (p proc) isSetuid(pid int) bool {
	info, err := os.Stat(p.path(pid, "exe"))

	return err == nil && info.Mode()&fs.ModeSetuid != 0
}

// Trusted tells whether what a master says of itself may be followed: everybody chooses the title, the options and the mount name space of his own processes.
func (m *Master) Trusted() bool { return !m.Setuid && (m.UID == 0 || m.UID == os.Geteuid()) }

// Trusted tells whether an administrator and not just anybody says that this is an instance: he named it, it runs as root or as this process's user, or it was a
// service of root's that has failed.
func (i *Instance) Trusted() bool { return i.Configured || i.Master == nil || i.Master.Trusted() }

// InContainer tells whether the instance runs in a container that this process is not in: it comes and goes under ever new names.
func (i *Instance) InContainer() bool { return i.Master != nil && i.Master.Container }
