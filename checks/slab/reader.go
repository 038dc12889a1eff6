// Package slab reads the kernel's slab caches and says which of them hold the memory: exact bytes, whether the kernel
// can reclaim them, their growth, and the part of SUnreclaim that belongs to no cache.
package slab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"zabbix-agent2-plugin-hosting/checks/memory"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Reader reads slabinfo, meminfo and sysfs through buffers that it keeps. It is not safe for concurrent use.
type Reader struct {
	path     string
	source   Source
	meminfo  *memory.Reader
	catalog  *catalog
	clock    clock
	buffer   []byte
	table    table
	snapshot Snapshot
	// duplicates says that a name occurs more than once.
	duplicates bool
}

// Snapshot is the state of all caches. It belongs to the Reader and is valid until its next Read.
type Snapshot struct {
	ReadAt time.Time
	// Caches are in the kernel's order, newest first. Caches of one name are added up.
	Caches []Cache
	Memory memory.Meminfo
	// UnreclaimableBytes and ReclaimableBytes add up the caches of each kind. They account for SUnreclaim and
	// SReclaimable only where Attributed is set.
	UnreclaimableBytes uint64
	ReclaimableBytes   uint64
	// Attributed says that every line was understood and every cache that holds memory is known to be of one kind.
	Attributed bool
	Problems   []string

	monotonic time.Duration
}

// NewReader reads below procPath and sysPath, on a real system "/proc" and "/sys". The source, which may be nil, stands in for files that
// this process may not read.
func NewReader(procPath, sysPath string, source Source) *Reader {
	return newReader(procPath, sysPath, source, systemClock())
}

func newReader(procPath, sysPath string, source Source, clock clock) *Reader {
	return &Reader{
		path:    infoPath(procPath),
		source:  source,
		meminfo: memory.NewReader(procPath),
		catalog: newCatalog(sysPath, source),
		clock:   clock,
		table:   table{pageSize: uint64(os.Getpagesize())},
	}
}

// Read reads slabinfo and meminfo one right after the other, so that their sums can be compared, and names the kind and
// the aliases of each cache. errors.Is(err, fs.ErrPermission) and fs.ErrNotExist tell the two usual causes of failure.
func (r *Reader) Read() (*Snapshot, error) {
	if err := r.readInfo(); err != nil {
		return nil, err
	}

	if err := r.meminfo.ReadInto(&r.snapshot.Memory); err != nil {
		return nil, err
	}

	s := &r.snapshot
	s.ReadAt, s.monotonic = r.clock.wall(), r.clock.monotonic()
	r.table.parse(r.buffer)
	r.attribute(s)

	return s, nil
}

func (r *Reader) readInfo() (err error) {
	r.buffer, err = procfile.Read(r.path, r.buffer)

	switch {
	case err == nil:
		return nil
	case r.source == nil || !errors.Is(err, fs.ErrPermission):
		return explain(r.path, err)
	}

	if r.buffer, err = r.source.Slabinfo(r.buffer); err != nil {
		return fmt.Errorf("cannot read %s as this user: %w", r.path, err)
	}

	return nil
}

func (r *Reader) attribute(s *Snapshot) {
	t := &r.table
	if t.renamed || r.catalog.stale(s.monotonic) {
		r.catalog.update(t.caches, s.monotonic)
		t.sumUp()
	}

	if t.renamed {
		r.duplicates = hasDuplicates(t.caches)
	}

	s.Caches = t.caches
	if r.duplicates {
		s.Caches = merge(t.caches)
	}

	s.UnreclaimableBytes, s.ReclaimableBytes = t.byReclaim[ReclaimNo], t.byReclaim[ReclaimYes]
	s.Attributed = len(t.caches) > 0 && !t.problems.Any() && t.byReclaim[ReclaimUnknown] == 0

	if len(t.caches) == 0 {
		t.problems.Addf("%s lists no cache", r.path)
	}

	if r.catalog.problem != "" {
		t.problems.Addf("%s", r.catalog.problem)
	}

	s.Problems = t.problems.List()
}

func (s *Snapshot) field(name string) *uint64 {
	if value, ok := s.Memory.Bytes(name); ok {
		return &value
	}

	return nil
}

func (s *Snapshot) sunreclaim() uint64 {
	value, _ := s.Memory.Bytes("SUnreclaim")

	return value
}

func (s *Snapshot) sreclaimable() uint64 {
	value, _ := s.Memory.Bytes("SReclaimable")

	return value
}

// unattributed is the part of SUnreclaim in no cache, nil where unknown.
func (s *Snapshot) unattributed() *uint64 {
	if total := s.field("SUnreclaim"); s.Attributed && total != nil {
		return new(*total - min(*total, s.UnreclaimableBytes))
	}

	return nil
}
