package oom

import (
	"slices"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/oom/tracepoint"
	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// trace keeps the victims of which the kernel tells. It looks for the name of a cgroup at once, as that may be gone soon.
type trace struct {
	watch   *tracepoint.Watch
	names   *cgroup.Names
	now     func() (instant, error)
	since   time.Time
	stopped sync.WaitGroup

	mu sync.Mutex
	// victims are newest first.
	victims []Victim
	// broken is why no more are told.
	broken error
}

// startTrace returns when the kernel tells of every kill.
func startTrace(sysPath string, now func() (instant, error)) (*trace, error) {
	watch, err := tracepoint.Open()
	if err != nil {
		return nil, err
	}

	t := &trace{watch: watch, now: now, since: time.Now(), names: cgroup.NewNames(func() string {
		mount, err := cgroup.FindMemory(sysPath, "memory.oom_control")
		if err != nil {
			return cgroup.Unified(sysPath)
		}

		return mount.Dir
	})}
	t.stopped.Go(t.follow)

	return t, nil
}

// follow ends with the watch.
func (t *trace) follow() {
	for {
		v, err := t.next()

		t.mu.Lock()

		if err == nil {
			t.victims = slices.Insert(t.victims, 0, v)
			t.victims = t.victims[:min(len(t.victims), maxVictims)]
		}

		t.broken = err
		t.mu.Unlock()

		if err != nil {
			return
		}
	}
}

// next waits for the next victim.
func (t *trace) next() (Victim, error) {
	e, err := t.watch.Read()
	if err != nil {
		return Victim{}, err
	}

	now, err := t.now()
	if err != nil {
		return Victim{}, err
	}

	return t.victim(e, now), nil
}

func (t *trace) victim(e tracepoint.Event, now instant) Victim {
	v := Victim{
		At: seconds(now.toWall(e.At)), at: e.At, Name: procfile.Printable(e.Name), PID: e.PID, UID: e.UID, OOMScoreAdj: e.OOMScoreAdj,
		Constraint: ConstraintUnknown, Trigger: procfile.Printable(e.Trigger), TriggerPID: e.TriggerPID,
		TotalVMBytes: e.TotalVMBytes, AnonRSSBytes: e.AnonBytes, FileRSSBytes: e.FileBytes, ShmemRSSBytes: e.ShmemBytes, PageTablesBytes: e.PageTablesBytes,
	}
	v.sumRSS()

	if e.CgroupID != 0 {
		v.Cgroup = t.names.Path(e.CgroupID)
	}

	return v
}

const (
	// settleTime is the longest time that settle waits, and settlePause enough for what has left the ring.
	settleTime  = 100 * time.Millisecond
	settlePause = 5 * time.Millisecond
)

// settle waits until all that is in the ring is among the victims: a victim keeps the time that is told first.
func (t *trace) settle() {
	for range settleTime / settlePause {
		time.Sleep(settlePause)

		if t.watch.Unread() == 0 {
			return
		}
	}
}

// get tells how it goes, and the victims since the start.
func (t *trace) get() ([]Victim, SourceState) {
	t.mu.Lock()
	defer t.mu.Unlock()

	lost, err := t.watch.Lost()
	if t.broken != nil {
		err = t.broken
	}

	s := stateOf(SourceTracepoint, err)
	s.Lost = lost
	s.Since = new(seconds(t.since))

	return slices.Clone(t.victims), s
}

func (t *trace) close() error {
	err := t.watch.Close()
	t.stopped.Wait()

	return err
}
