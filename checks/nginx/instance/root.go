package instance

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
)

// rootOf compares a process's root directory with this process's own. Only who may trace the process can look at it;
// anybody may read which file system is mounted there.
func (p proc) rootOf(pid int) Root {
	dir, linkErr := os.Readlink(p.path(pid, "root"))
	theirs, theirErr := os.Stat(p.path(pid, "root"))
	ours, ourErr := os.Stat(filepath.Join(p.root, "self", "root"))

	if linkErr == nil && theirErr == nil && ourErr == nil {
		return Root{Dir: dir, Known: true, Differs: !os.SameFile(theirs, ours)}
	}

	theirMount, theirErr := p.rootMount(strconv.Itoa(pid))
	ourMount, ourErr := p.rootMount("self")

	if theirErr != nil || ourErr != nil {
		return Root{}
	}

	return Root{Known: true, Differs: theirMount != ourMount}
}

// rootMount is what is mounted at a process's root: device and directory within it. It is empty in a chroot, where
// nothing is.
func (p proc) rootMount(process string) (string, error) {
	data, err := readLimited(filepath.Join(p.root, process, "mountinfo"), maxMountinfo)
	if err != nil {
		return "", err
	}

	mount := ""

	for line := range bytes.Lines(data) {
		// 36 35 98:0 /mnt1 /mnt2 rw,noatime ...; the last of several is on top.
		if fields := bytes.Fields(line); len(fields) > 4 && string(fields[4]) == "/" {
			mount = string(fields[2]) + " " + string(fields[3])
		}
	}

	return mount, nil
}
