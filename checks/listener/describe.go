package listener

import "slices"

const (
	// What is kept of one address, so that a payload stays small.
	maxSocketsShown   = 16
	maxPIDsShown      = 8
	maxProcessesShown = 8
)

// HeldSocket is a socket of a group and who holds it.
type HeldSocket struct {
	Inode uint32 `json:"inode"`
	// Cookie identifies the socket as long as the host runs.
	Cookie uint64 `json:"cookie,omitempty"`
	UID    uint32 `json:"uid"`
	// CgroupID and Cgroup are the cgroup (version 2) in which it was made.
	CgroupID uint64 `json:"cgroup_id,omitempty"`
	Cgroup   string `json:"cgroup,omitempty"`
	// Queue is how many connections wait to be accepted, Backlog how many may; TCP only.
	Queue   *uint32 `json:"queue,omitempty"`
	Backlog *uint32 `json:"backlog,omitempty"`
	// QueueBytes is what a UDP socket has received and its process has not read.
	QueueBytes *uint32 `json:"queue_bytes,omitempty"`
	// PIDs hold the socket; absent where nobody looked or nobody was found.
	PIDs        []int `json:"pids,omitempty"`
	PIDsOmitted int   `json:"pids_omitted,omitempty"`
}

// describer turns sockets into what a payload says of them.
type describer struct {
	reader  *Reader
	held    holdings
	cgroups map[uint64]string

	processes *ProcessReader
	// read holds a process that has ended as nil.
	read map[int]*Process
}

// newDescriber knows the names of the cgroups of these sockets.
func (r *Reader) newDescriber(held holdings, sockets []*Socket) *describer {
	d := &describer{
		reader: r, held: held, cgroups: make(map[uint64]string), processes: r.NewProcessReader(), read: make(map[int]*Process),
	}

	for _, s := range sockets {
		d.cgroups[s.CgroupID] = ""
	}

	r.cgroups.Paths(d.cgroups)

	return d
}

func (d *describer) sockets(all []*Socket) (shown []HeldSocket, omitted int) {
	kept := all[:min(len(all), maxSocketsShown)]

	shown = make([]HeldSocket, 0, len(kept))
	for _, s := range kept {
		shown = append(shown, d.socket(s))
	}

	return shown, len(all) - len(kept)
}

func (d *describer) socket(s *Socket) HeldSocket {
	h := HeldSocket{Inode: s.Inode, Cookie: s.Cookie, UID: s.UID, CgroupID: s.CgroupID, Cgroup: d.cgroups[s.CgroupID]}

	switch {
	case s.Network == UDP:
		h.QueueBytes = &s.Queue
	case s.Cookie == 0:
		h.Queue = &s.Queue
	default:
		h.Queue, h.Backlog = &s.Queue, &s.Backlog
	}

	pids := d.pids(s)
	h.PIDs = pids[:min(len(pids), maxPIDsShown)]
	h.PIDsOmitted = len(pids) - len(h.PIDs)

	return h
}

// pids are the processes that hold one of the sockets, in order.
func (d *describer) pids(sockets ...*Socket) []int {
	var all []int

	for _, s := range sockets {
		for _, h := range d.held[s.Inode] {
			all = append(all, h.pid)
		}
	}

	slices.Sort(all)

	return slices.Compact(all)
}

// process reads a process once. It is false for one that has ended.
func (d *describer) process(pid int) (Process, bool) {
	p, known := d.read[pid]
	if !known {
		if read, err := d.processes.Read(pid); err == nil {
			p = &read
		}

		d.read[pid] = p
	}

	if p == nil {
		return Process{}, false
	}

	return *p, true
}

// all are the processes that were read, in order of their PIDs.
func (d *describer) all() []Process {
	all := make([]Process, 0, len(d.read))

	for _, p := range d.read {
		if p != nil {
			all = append(all, *p)
		}
	}

	slices.SortFunc(all, func(a, b Process) int { return a.PID - b.PID })

	return all
}
