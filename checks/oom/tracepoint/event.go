package tracepoint

import (
	"bytes"
	"encoding/binary"
	"os"
	"time"
)

// Event is a process that the OOM killer killed. What is nil or empty could not be read.
type Event struct {
	// At is when, on CLOCK_MONOTONIC.
	At time.Duration
	// PID is the number that the process has on the host. Where the first thread had ended, it is that of another one, as in the kernel log.
	PID  int
	Name string
	UID  *int
	// CgroupID is its memory cgroup, 0 where it is unknown.
	CgroupID    uint64
	OOMScoreAdj *int
	// The sizes are as exact as those in the kernel log: from Linux 6.2 on each processor may hold back some pages of them.
	TotalVMBytes, AnonBytes, FileBytes, ShmemBytes, PageTablesBytes *uint64
	// Trigger is the process whose request for memory started the OOM killer, by the name of the thread.
	Trigger    string
	TriggerPID int
}

// A record in the ring, in the processor's byte order.
const (
	atTime       = 0
	atCgroup     = 8
	atTotalVM    = 16
	atAnon       = 24
	atFile       = 32
	atShmem      = 40
	atPageTables = 48
	atPID        = 56
	atUID        = 60
	atTriggerPID = 64
	atFound      = 68
	atAdj        = 72
	atName       = 80
	atTrigger    = 96
	recordSize   = 112

	nameSize = 16
)

// parse reads a record of the ring. It is false for one of another form.
func (l *layout) parse(raw []byte) (e Event, ok bool) {
	if len(raw) < recordSize {
		return e, false
	}

	number := func(at int) uint64 { return binary.NativeEndian.Uint64(raw[at:]) }
	small := func(at int) int { return int(binary.NativeEndian.Uint32(raw[at:])) }

	e = Event{At: time.Duration(number(atTime)), PID: small(atPID), TriggerPID: small(atTriggerPID), Trigger: name(raw[atTrigger:])}
	if small(atFound) == 0 {
		return e, true
	}

	e.Name, e.UID = name(raw[atName:]), new(small(atUID))
	e.OOMScoreAdj = new(int(int16(binary.NativeEndian.Uint16(raw[atAdj:]))))

	if l.cgroups {
		e.CgroupID = number(atCgroup)
	}

	// A process that has given its memory back has none that could be told.
	if page := uint64(os.Getpagesize()); l.memory && number(atTotalVM) > 0 {
		e.TotalVMBytes = new(number(atTotalVM) * page)
		e.AnonBytes, e.FileBytes, e.ShmemBytes = pages(number(atAnon), page), pages(number(atFile), page), pages(number(atShmem), page)
		e.PageTablesBytes = new(number(atPageTables))
	}

	return e, true
}

// pages is 0 for a counter below 0, of which the processors hold back the rest.
func pages(count, page uint64) *uint64 { return new(uint64(max(0, int64(count))) * page) }

func name(raw []byte) string {
	text, _, _ := bytes.Cut(raw[:nameSize], []byte{0})

	return string(text)
}
