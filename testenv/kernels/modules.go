package kernels

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// moduleNames are what tests ask of the kernel and what is not part of its image, in the order in which they need each other: listing sockets.
var moduleNames = []string{"inet_diag", "tcp_diag", "udp_diag"}

// modules are the paths of their files.
func (v Version) modules() (paths []string, err error) {
	dir, err := v.dir()
	if err != nil {
		return nil, err
	}

	found := make(map[string]string)

	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if name, _, is := strings.Cut(filepath.Base(path), ".ko"); is {
			found[name] = path
		}

		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot find the modules of Linux %s: %w; remove %s", v, err, dir)
	}

	for _, name := range moduleNames {
		if found[name] == "" {
			return nil, fmt.Errorf("cannot find module %s of Linux %s; remove %s", name, v, dir)
		}

		paths = append(paths, found[name])
	}

	return paths, nil
}
