// Package listener tells who listens on this host: the sockets by address, the processes that hold them, and those
// processes on an address of nginx that do not belong to that nginx.
package listener

import (
	"context"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

// Reader asks the kernel about sockets. It is safe for concurrent use.
type Reader struct {
	proc    string
	cgroups *cgroup.Names
	masters masterSockets
}

// NewReader reads below procPath and sysPath, on a real system "/proc" and "/sys".
func NewReader(procPath, sysPath string) *Reader {
	return &Reader{proc: procPath, cgroups: cgroup.NewNames(func() string { return cgroup.Unified(sysPath) })}
}

// CgroupPath is the path of a cgroup of version 2 below its mount, by its id; empty for one that is gone.
func (r *Reader) CgroupPath(id uint64) string { return r.cgroups.Path(id) }

// Query says which sockets a snapshot holds.
type Query struct {
	// Port is the local port; 0 stands for all.
	Port uint16
	// Network is TCP or UDP; empty for both.
	Network Network
	// PID is a process whose network namespace is looked at; 0 stands for the caller's own.
	PID int
}

// Snapshot is who listened at one moment.
type Snapshot struct {
	At time.Time
	// Sockets are in the kernel's order. No process is named.
	Sockets []Socket
	// Omitted is how many sockets there were beyond the 100,000 that are kept.
	Omitted int
	// Notes say what had to be read in a weaker way, and why.
	Notes []string

	query Query
}

// Snapshot asks sock_diag(7), which lists the sockets in the state and on the port that are asked for, and nothing else.
// Where it cannot be asked, the kernel's tables in /proc/net are read. errors.Is(err, fs.ErrNotExist) tells a process
// that has ended.
func (r *Reader) Snapshot(ctx context.Context, q Query) (*Snapshot, error) {
	s := &Snapshot{At: time.Now(), query: q}
	all := collection{port: q.Port}

	inquiry, problem := r.openInquiry(ctx, q.PID)
	if problem == nil {
		defer inquiry.close()
	}

	for _, network := range []Network{TCP, UDP} {
		if q.Network != "" && q.Network != network {
			continue
		}

		err := problem
		if err == nil {
			err = inquiry.list(ctx, network, q.Port, &all)
		}

		if err == nil {
			continue
		}

		if ctx.Err() != nil {
			return nil, err
		}

		if tableErr := readTables(ctx, r.processPath(q.PID, "net"), network, &all); tableErr != nil {
			return nil, fmt.Errorf("%w; and %w", err, tableErr)
		}

		s.Notes = append(s.Notes, fmt.Sprintf("the %s sockets are from /proc/net, without cgroup and backlog: %v", network, err))
	}

	s.Sockets, s.Omitted = all.sockets, all.omitted

	return s, nil
}
