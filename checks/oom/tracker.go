// Package oom counts the kills of the kernel's OOM killer and names the victims.
package oom

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/oom/journal"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const kernelLogPath = "/dev/kmsg"

// Options say where a host shows itself.
type Options struct {
	// ProcPath, SysPath and KmsgPath are "/proc", "/sys" and "/dev/kmsg" on a real system. Another KmsgPath is of another kernel than the journal.
	ProcPath, SysPath, KmsgPath string
	// Watch has the kernel tell of each kill from the first Get on, where this process may ask for that.
	Watch bool
}

// Tracker follows the kills from call to call. It is safe for concurrent use.
type Tracker struct {
	options    Options
	vmstatPath string
	open       func() (kernelLog, error)
	now        func() (instant, error)
	journal    *journal.Reader

	mu     sync.Mutex
	vmstat []byte
	record []byte
	// log stays open between the calls, so that each record is read once.
	log      kernelLog
	lines    assembler
	lastRead uint64
	readAny  bool
	// logSince is the Unix time from which on no record was missed; nil for the boot.
	logSince *float64
	// trace is nil where the kernel does not tell of kills, for the reason in traceErr.
	trace    *trace
	traceErr error
}

// NewTracker reads nothing before the first Get.
func NewTracker(o Options) *Tracker {
	return newTracker(o, func() (kernelLog, error) { return openDevice(o.KmsgPath) }, systemInstant)
}

func newTracker(o Options, open func() (kernelLog, error), now func() (instant, error)) *Tracker {
	return &Tracker{
		options:    o,
		vmstatPath: filepath.Join(o.ProcPath, "vmstat"),
		open:       open,
		now:        now,
		journal:    journal.NewReader(),
		record:     make([]byte, recordSize),
	}
}

// Get reads the counter and what is new of victims, and builds the payload of hosting.oom.get. That they cannot be known is no error but a field of the
// payload.
func (t *Tracker) Get() (*Report, error) {
	t.mu.Lock()
	defer t.mu.Unlock()

	var err error
	if t.vmstat, err = procfile.Read(t.vmstatPath, t.vmstat); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w; mount proc there and let this user read it", t.vmstatPath, err)
	}

	now, err := t.now()
	if err != nil {
		return nil, err
	}

	r := &Report{Schema: schema, Kills: parseKills(t.vmstat), BootAt: now.bootAt()}
	r.Victims, r.Sources = t.victims(now)
	r.VictimsKnown, r.VictimsError = verdict(r.Sources)

	for i := range r.Victims {
		r.Victims[i].AgeS = max(0, now.monotonic-r.Victims[i].at).Round(time.Millisecond).Seconds()
	}

	if len(r.Victims) > 0 {
		r.LastVictim = new(r.Victims[0])
	}

	return r, nil
}

// Close lets go of the kernel log and leaves nothing in the kernel. The next Get begins again.
func (t *Tracker) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()

	t.closeLog()

	if t.trace == nil {
		return nil
	}

	err := t.trace.close()
	t.trace = nil

	return err
}

// follow reads the new records. After a failure the log is opened afresh, and records that were seen are passed over.
func (t *Tracker) follow(now instant) error {
	if t.log == nil {
		log, err := t.open()
		if err != nil {
			return err
		}

		t.log = log
	}

	err := drain(t.log, t.record, func(r record) {
		if t.readAny && r.sequence <= t.lastRead {
			return
		}

		if r.sequence != t.expected() {
			t.logSince = new(seconds(now.toWall(r.sinceBoot)))
		}

		t.readAny, t.lastRead = true, r.sequence
		t.lines.add(r, now.toWall)
	})
	if err != nil && !errors.Is(err, errBehind) {
		t.closeLog()
	}

	return err
}

// expected is the number of the next record, unless the kernel wrote over it before it was read. They are numbered from boot on.
func (t *Tracker) expected() uint64 {
	if !t.readAny {
		return 0
	}

	return t.lastRead + 1
}

func (t *Tracker) closeLog() {
	if t.log != nil {
		t.log.close()
		t.log = nil
	}
}
