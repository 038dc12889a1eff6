// Package kmemleak groups what the kernel's own leak detector found by the code path that allocated it. Few kernels have the detector: those
// of Debian do not.
package kmemleak

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// MaxGroups is the largest n of Read.
	MaxGroups = 1000
	// readLimit is some 20,000 objects; the kernel walks its list under a lock while it is read.
	readLimit = 16 << 20
	// sourceTime is how long a report may take for the lines in the source; an item's answer is not to come late for them.
	sourceTime = 200 * time.Millisecond
)

// Reader reads the detector's list. It is safe for concurrent use.
type Reader struct {
	path, proc, boot string
	source           *kernelsource.Finder
}

// NewReader reads below procPath and sysPath, on a real system "/proc" and "/sys", and looks for the kernel's source with source.
func NewReader(procPath, sysPath string, source *kernelsource.Finder) *Reader {
	return &Reader{path: filepath.Join(sysPath, "kernel/debug/kmemleak"), proc: procPath, boot: "/boot", source: source}
}

// Read returns the n groups with the most bytes. A kernel without kmemleak is no error but a field of the report; errors.Is(err, fs.ErrPermission)
// tells that this user may not know.
func (r *Reader) Read(n int) (*Report, error) {
	if n < 1 || n > MaxGroups {
		return nil, fmt.Errorf("cannot list %d groups: ask for 1 to %d", n, MaxGroups)
	}

	file, err := os.Open(r.path)
	if err != nil {
		return r.closed(err)
	}
	defer func() { _ = file.Close() }()

	report, err := r.read(file, n, readLimit)
	if err != nil {
		return nil, err
	}

	if report.Objects == 0 {
		reason, off := r.doubt()
		report.Reason, report.Available = reason, !off
	}

	report.find(r.source)

	return report, nil
}

// closed is for a list that cannot be opened.
func (r *Reader) closed(err error) (*Report, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r.unavailable(), nil
	case errors.Is(err, syscall.EBUSY):
		// Older kernels do not open one that is switched off.
		return &Report{Schema: schema, Groups: []Group{}, Reason: "kmemleak is switched off: it ran out of memory or was told so at boot (kmemleak=off)"}, nil
	}

	return nil, fmt.Errorf("cannot read kmemleak: %w; debugfs is for root", err)
}

func (r *Reader) read(from io.Reader, n int, limit int64) (*Report, error) {
	var problems procfile.Problems

	c := newCollection()
	limited := &io.LimitedReader{R: from, N: limit}

	// The last object is whole only where the file was not cut in it.
	var last *object

	err := parse(limited, &problems, func(o *object) {
		if last != nil {
			c.add(last)
		}

		last = o
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", r.path, err)
	}

	if last != nil && limited.N > 0 {
		c.add(last)
	}

	report := c.report(n)
	report.Problems = problems.List()
	report.Cut = limited.N == 0

	return report, nil
}

// unavailable says what is missing.
func (r *Reader) unavailable() *Report {
	reason := "this kernel is built without CONFIG_DEBUG_KMEMLEAK; hosting.slab.get tells which caches grow"
	if entries, err := os.ReadDir(filepath.Dir(r.path)); err != nil || len(entries) == 0 {
		reason = "debugfs is not mounted; run mount -t debugfs debugfs /sys/kernel/debug, where the kernel has CONFIG_DEBUG_KMEMLEAK"
	}

	return &Report{Schema: schema, Groups: []Group{}, Reason: reason}
}
