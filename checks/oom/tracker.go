// Package oom counts the kills of the kernel's OOM killer and names the victims.
package oom

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Tracker follows the kernel log from call to call. It is safe for concurrent use.
type Tracker struct {
	vmstatPath string
	open       func() (kernelLog, error)
	now        func() (instant, error)

	mu     sync.Mutex
	vmstat []byte
	record []byte
	// log stays open between the calls, so that each record is read once.
	log      kernelLog
	lines    assembler
	lastRead uint64
	readAny  bool
}

// NewTracker reads vmstat below procPath and the kernel log from kmsgPath, on a real system "/proc" and "/dev/kmsg".
func NewTracker(procPath, kmsgPath string) *Tracker {
	return newTracker(procPath, func() (kernelLog, error) { return openDevice(kmsgPath) }, systemInstant)
}

func newTracker(procPath string, open func() (kernelLog, error), now func() (instant, error)) *Tracker {
	return &Tracker{
		vmstatPath: filepath.Join(procPath, "vmstat"),
		open:       open,
		now:        now,
		record:     make([]byte, recordSize),
	}
}

// Get reads the counter and what is new in the kernel log, and builds the payload of hosting.oom.get. A kernel log
// that cannot be read is no error but a field of the payload.
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

	r := &Report{Schema: schema, Kills: parseKills(t.vmstat), BootAt: now.bootAt(), VictimsKnown: true}
	if err := t.follow(now); err != nil {
		r.VictimsKnown, r.VictimsError = false, err.Error()
	}

	r.Victims = append([]Victim{}, t.lines.victims...)
	for i := range r.Victims {
		r.Victims[i].AgeS = max(0, now.monotonic-r.Victims[i].at).Round(time.Millisecond).Seconds()
	}

	if len(r.Victims) > 0 {
		r.LastVictim = new(r.Victims[0])
	}

	return r, nil
}

// Close lets go of the kernel log. The next Get opens it again.
func (t *Tracker) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()

	t.closeLog()
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

		t.readAny, t.lastRead = true, r.sequence
		t.lines.add(r, now.toWall)
	})
	if err != nil && !errors.Is(err, errBehind) {
		t.closeLog()
	}

	return err
}

func (t *Tracker) closeLog() {
	if t.log != nil {
		t.log.close()
		t.log = nil
	}
}
