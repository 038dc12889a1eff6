package slab

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Source reads for a user that may not: what it gives is only asked for where the kernel refuses this process.
type Source interface {
	// Slabinfo returns the content of /proc/slabinfo, in buf or in a larger buffer that replaces it.
	Slabinfo(buf []byte) ([]byte, error)
	// Kinds tells the kind of each cache by its name.
	Kinds() (map[string]Reclaim, error)
}

// ReadInfo returns the content of slabinfo below procPath, in buf or in a larger buffer. errors.Is(err, fs.ErrPermission) and fs.ErrNotExist
// tell the two usual causes of failure.
func ReadInfo(procPath string, buf []byte) ([]byte, error) {
	path := infoPath(procPath)

	text, err := procfile.Read(path, buf)
	if err != nil {
		return nil, explain(path, err)
	}

	return text, nil
}

// ReadKinds tells for each cache that slabinfo lists below procPath, by name, which kind sysfs below sysPath gives it. Caches of which
// that is not known are left out. It fails where none is known.
func ReadKinds(procPath, sysPath string) (map[string]Reclaim, error) {
	text, err := ReadInfo(procPath, nil)
	if err != nil {
		return nil, err
	}

	var t table
	t.parse(text)

	c := newCatalog(sysPath, nil)
	c.update(t.caches, 0)

	kinds := make(map[string]Reclaim, len(t.caches))

	for i := range t.caches {
		if kind := t.caches[i].Reclaim; kind != ReclaimUnknown {
			kinds[t.caches[i].Name] = kind
		}
	}

	if len(kinds) == 0 && c.problem != "" {
		return nil, errors.New(c.problem)
	}

	return kinds, nil
}

func infoPath(procPath string) string { return filepath.Join(procPath, "slabinfo") }

func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot read %s: %w (mode 0400, root only); grant CAP_DAC_READ_SEARCH or run as root", path, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot read %s: %w; this kernel shows no slab caches, boot one built with CONFIG_SLUB_DEBUG", path, err)
	}

	return fmt.Errorf("cannot read %s: %w", path, err)
}
