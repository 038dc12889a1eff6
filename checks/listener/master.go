package listener

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"
)

// Master is the master process of a running nginx.
type Master struct {
	PID int
	// StartTicks is starttime of proc_pid_stat(5), with which a process that took the PID over is told apart; 0 trusts the PID.
	StartTicks uint64
}

// MasterState tells whether the sockets of a master could be read. Without them its foreigners are unknown.
type MasterState struct {
	PID int `json:"pid"`
	// Sockets is how many sockets of the snapshot it holds.
	Sockets int    `json:"sockets"`
	Error   string `json:"error,omitempty"`
}

// masterSockets remembers which descriptors of a master are sockets, because an nginx with a log for each of 10,000 sites
// has as many descriptors, and each takes some microseconds to look at.
type masterSockets struct {
	mu    sync.Mutex
	known map[int]*knownMaster
}

// maxMasters bounds what is remembered.
const maxMasters = 64

// knownMaster is what was found when all descriptors of the process were looked at.
type knownMaster struct {
	startTicks uint64
	sockets    map[uint32]int
	// others are sockets that the process did not hold. It gets none of them later, as nginx takes over sockets only when it
	// starts; if it did, the search for the holders would tell.
	others map[uint32]struct{}
}

// heldBy returns those of the listed sockets that the master holds.
func (r *Reader) heldBy(m Master, listed map[uint32]struct{}) (map[uint32]struct{}, error) {
	r.masters.mu.Lock()
	defer r.masters.mu.Unlock()

	before, err := readStat(r.proc, m.PID)
	if err != nil {
		return nil, fmt.Errorf("cannot read process %d: %w; it may have ended", m.PID, err)
	}

	if m.StartTicks != 0 && before.StartTicks != m.StartTicks {
		return nil, fmt.Errorf("cannot read process %d: it has ended, and another has its number", m.PID)
	}

	if known := r.masters.known[m.PID]; known != nil && known.startTicks == before.StartTicks {
		if held, ok := r.stillHeld(m.PID, known, listed); ok {
			return held, nil
		}
	}

	known, err := r.learn(m.PID, listed)
	if err != nil {
		return nil, err
	}

	// Read again, so that the descriptors are known to be of the same process.
	after, err := readStat(r.proc, m.PID)
	if err != nil || after.StartTicks != before.StartTicks {
		return nil, fmt.Errorf("cannot read process %d: it has ended", m.PID)
	}

	known.startTicks = after.StartTicks
	r.masters.remember(m.PID, known)

	held := make(map[uint32]struct{})

	for inode := range listed {
		if _, is := known.sockets[inode]; is {
			held[inode] = struct{}{}
		}
	}

	return held, nil
}

// stillHeld looks only at the descriptors of the listed sockets. It is false where one is new or no longer what it was.
func (r *Reader) stillHeld(pid int, known *knownMaster, listed map[uint32]struct{}) (held map[uint32]struct{}, ok bool) {
	dir, err := unix.Open(r.processPath(pid, "fd"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer func() { _ = unix.Close(dir) }()

	held = make(map[uint32]struct{})

	for inode := range listed {
		if _, is := known.others[inode]; is {
			continue
		}

		fd, is := known.sockets[inode]
		if now, isSocket := socketAt(dir, fd); !is || !isSocket || now != inode {
			return nil, false
		}

		held[inode] = struct{}{}
	}

	return held, true
}

// learn looks at all descriptors of a process.
func (r *Reader) learn(pid int, listed map[uint32]struct{}) (*knownMaster, error) {
	sockets, err := r.socketsOf(pid)

	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("cannot read the descriptors of process %d: %w; run this as root or through the helper", pid, err)
	case err != nil:
		return nil, fmt.Errorf("cannot read the descriptors of process %d: %w; it may have ended", pid, err)
	}

	known := &knownMaster{sockets: sockets, others: make(map[uint32]struct{})}

	for inode := range listed {
		if _, is := sockets[inode]; !is {
			known.others[inode] = struct{}{}
		}
	}

	return known, nil
}

func (m *masterSockets) remember(pid int, known *knownMaster) {
	if m.known == nil || len(m.known) >= maxMasters {
		m.known = make(map[int]*knownMaster)
	}

	m.known[pid] = known
}
