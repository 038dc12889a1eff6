package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// MaxUnits is how many units a report may list.
	MaxUnits = 100
	// maxTime bounds what a host with thousands of customers' cgroups costs.
	maxTime = 500 * time.Millisecond
)

// Reading tells how the memory controller was read.
type Reading struct {
	ReadAt float64 `json:"read_at"`
	// CgroupVersion is of the memory controller.
	CgroupVersion int     `json:"cgroup_version"`
	DurationS     float64 `json:"duration_s"`
	// Incomplete says that there were more cgroups than could be looked at.
	Incomplete bool `json:"incomplete"`
}

// Report lists the first units of those that were read.
type Report[U any] struct {
	Reading

	Units []U `json:"units"`
	// UnitsOmitted are more.
	UnitsOmitted int `json:"units_omitted"`
}

// List reports the first n units. Each is called by the last part of its cgroup's path, of which a user who made it may have chosen any.
func List[U any](reading Reading, sorted []U, n int, labels func(*U) (name, path *string)) *Report[U] {
	units := append([]U{}, sorted[:min(n, len(sorted))]...)

	for i := range units {
		name, cgroup := labels(&units[i])
		*cgroup = procfile.Printable(*cgroup)
		*name = path.Base(*cgroup)
	}

	return &Report[U]{Reading: reading, Units: units, UnitsOmitted: len(sorted) - len(units)}
}

// MemoryReader reads a file of the memory controller in each cgroup. It is not safe for concurrent use.
type MemoryReader struct {
	sys, file2, file1 string
	inside1           bool
	buffer            []byte
}

// NewMemoryReader reads below sysPath, on a real system "/sys", the one file where the controller is of version 2 and the other where it is of version 1.
// Inside1 has it go into units in version 1, where a cgroup's file may tell only of itself.
func NewMemoryReader(sysPath, file2, file1 string, inside1 bool) *MemoryReader {
	return &MemoryReader{sys: sysPath, file2: file2, file1: file1, inside1: inside1}
}

// Read hands the file of each cgroup to take, which is told the version; n is how many units are to be listed of them. errors.Is(err, fs.ErrNotExist)
// tells that this host has no such controller.
func (r *MemoryReader) Read(ctx context.Context, n int, take func(version int, g Group, content []byte)) (Reading, error) {
	if n < 1 || n > MaxUnits {
		return Reading{}, fmt.Errorf("cannot list %d units: ask for 1 to %d", n, MaxUnits)
	}

	mount, err := FindMemory(r.sys, r.file1)
	if err != nil {
		return Reading{}, err
	}

	begun := time.Now()

	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()

	file, refused := r.file2, false
	if mount.Version == 1 {
		file = r.file1
	}

	complete := Walk(ctx, mount.Dir, r.inside1 && mount.Version == 1, func(g Group) bool {
		content, err := procfile.Read(filepath.Join(g.Dir, file), r.buffer)
		r.buffer = content

		if err != nil {
			// It has gone away, or the controller is not on for it.
			refused = refused || errors.Is(err, fs.ErrPermission)

			return true
		}

		take(mount.Version, g, content)

		return true
	})

	return Reading{
		ReadAt: float64(begun.UnixMilli()) / 1000, CgroupVersion: mount.Version, DurationS: time.Since(begun).Seconds(), Incomplete: !complete || refused,
	}, nil
}
