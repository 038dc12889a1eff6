package oom

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// double stands in for the kernel log: a reader gets the records that were added, one by one, and errors in between.
type double struct {
	entries []any
	opened  int
	closed  int
	refuse  error
}

func (d *double) add(records ...string) {
	for _, r := range records {
		d.entries = append(d.entries, r)
	}
}

func (d *double) fail(err error) { d.entries = append(d.entries, err) }

func (d *double) open() (kernelLog, error) {
	if d.refuse != nil {
		return nil, d.refuse
	}

	d.opened++

	return &doubleReader{log: d}, nil
}

// doubleReader begins with the oldest record, as the device does.
type doubleReader struct {
	log  *double
	next int
}

func (r *doubleReader) read(buffer []byte) (int, error) {
	if r.next == len(r.log.entries) {
		return 0, errEnd
	}

	entry := r.log.entries[r.next]
	r.next++

	if err, ok := entry.(error); ok {
		return 0, err
	}

	text, _ := entry.(string)

	return copy(buffer, text), nil
}

func (r *doubleReader) close() { r.log.closed++ }

// records reads a fixture. Lines that begin with a space belong to the record before.
func records(t *testing.T, kernel string) []string {
	t.Helper()

	data, err := os.ReadFile(filepath.Join("testdata", kernel+".kmsg"))
	require.NoError(t, err)

	var all []string

	for line := range bytes.Lines(data) {
		if line[0] == ' ' {
			all[len(all)-1] += string(line)
		} else {
			all = append(all, string(line))
		}
	}

	return all
}

// bootTime is the time of day at which the clock of the log begins, in tests.
const bootTime = 1_700_000_000

// kmsg turns lines into records of the kernel, a millisecond apart, from second start on.
func kmsg(sequence, start int, lines ...string) []string {
	all := make([]string, len(lines))

	for i, line := range lines {
		all[i] = fmt.Sprintf("3,%d,%d,-;%s\n", sequence+i, start*1_000_000+i*1000, line)
	}

	return all
}

// tracked is a tracker on a double, at uptime seconds after boot.
func tracked(t *testing.T, log *double, vmstat string, uptime time.Duration) *Tracker {
	t.Helper()

	proc := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(proc, "vmstat"), []byte(vmstat), 0o600))

	return newTracker(Options{ProcPath: proc}, log.open, func() (instant, error) {
		return instant{wall: time.Unix(bootTime, 0).Add(uptime), monotonic: uptime, boot: uptime}, nil
	})
}
