package slab

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testPage = 4096
	header   = "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>" +
		" : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
)

// host is a machine whose caches and clocks the test sets.
type host struct {
	t         *testing.T
	proc, sys string
	wall      time.Time
	monotonic time.Duration
}

// fake is a cache with slabs of one page, each with 32 objects of 128 bytes.
type fake struct {
	name  string
	slabs int
	// reclaim is the content of reclaim_account, empty for a cache that sysfs does not know.
	reclaim string
}

func newHost(t *testing.T, caches ...fake) *host {
	t.Helper()

	h := &host{t: t, proc: t.TempDir(), sys: t.TempDir(), wall: time.Unix(1_700_000_000, 0), monotonic: 5 * time.Minute}
	h.set(0, caches...)

	return h
}

// set writes slabinfo, the meminfo that goes with it and sysfs; hidden is the part of SUnreclaim in no cache, in pages.
func (h *host) set(hidden int, caches ...fake) {
	h.t.Helper()

	text := header
	pages := map[string]int{"0": hidden}

	for _, c := range caches {
		text += slabLine(c.name, c.slabs)
		pages[c.reclaim] += c.slabs

		folder := filepath.Join(h.sys, "kernel", "slab", sysfsName(c.name))
		if c.reclaim != "" {
			require.NoError(h.t, os.MkdirAll(folder, 0o700))
			require.NoError(h.t, os.WriteFile(filepath.Join(folder, "reclaim_account"), []byte(c.reclaim+"\n"), 0o600))
		}
	}

	h.write("slabinfo", text)
	h.write("meminfo", fmt.Sprintf("MemTotal: 4000000 kB\nSlab: %d kB\nSReclaimable: %d kB\nSUnreclaim: %d kB\n",
		4*(pages["0"]+pages["1"]), 4*pages["1"], 4*pages["0"]))
}

func (h *host) write(name, text string) {
	h.t.Helper()
	require.NoError(h.t, os.WriteFile(filepath.Join(h.proc, name), []byte(text), 0o600))
}

func (h *host) clock() clock {
	return clock{
		wall:      func() time.Time { return h.wall },
		monotonic: func() time.Duration { return h.monotonic },
	}
}

func (h *host) pass(d time.Duration) {
	h.wall = h.wall.Add(d)
	h.monotonic += d
}

func (h *host) reader() *Reader {
	r := newReader(h.proc, h.sys, nil, h.clock())
	r.table.pageSize = testPage

	return r
}

func (h *host) tracker() *Tracker {
	tracker := newTracker(h.proc, h.sys, nil, time.Hour, h.clock())
	tracker.reader.table.pageSize = testPage

	return tracker
}

func slabLine(name string, slabs int) string {
	return fmt.Sprintf("%-17s %6d %6d %6d %4d %4d : tunables    0    0    0 : slabdata %6d %6d      0\n",
		name, 31*slabs, 32*slabs, 128, 32, 1, slabs, slabs)
}

// kernelReader reads the files of a real kernel.
func kernelReader(t *testing.T, kernel string) *Reader {
	t.Helper()

	r := NewReader(filepath.Join("testdata", kernel), kernelSys(t, kernel), nil)
	r.table.pageSize = testPage

	return r
}

// kernelSys builds the sysfs of a real kernel from its manifest; empty where there is none.
func kernelSys(t *testing.T, kernel string) string {
	t.Helper()

	sys := t.TempDir()

	manifest, err := os.Open(filepath.Join("testdata", kernel, "sysfs.txt"))
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)

		return sys
	}

	defer func() { require.NoError(t, manifest.Close()) }()

	folder := filepath.Join(sys, "kernel", "slab")
	require.NoError(t, os.MkdirAll(folder, 0o700))

	for lines := bufio.NewScanner(manifest); lines.Scan(); {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		name, value, _ := strings.Cut(rest, " ")
		entry := filepath.Join(folder, name)

		if kind == "link" {
			require.NoError(t, os.Symlink(value, entry))

			continue
		}

		require.NoError(t, os.Mkdir(entry, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(entry, "reclaim_account"), []byte(value+"\n"), 0o600))
	}

	return sys
}
