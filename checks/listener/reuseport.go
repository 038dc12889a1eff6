package listener

import (
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/enum"
)

// ReusePortSource is how it is known whether sockets have SO_REUSEPORT, which the kernel does not list. The numbers are
// stable.
type ReusePortSource int

// The sources of the knowledge.
const (
	ReusePortUnknown ReusePortSource = 0
	// ReusePortInferred follows from two TCP sockets that listen on one address: the kernel allows it with SO_REUSEPORT only.
	ReusePortInferred ReusePortSource = 1
	// ReusePortAsked was asked of the socket itself.
	ReusePortAsked ReusePortSource = 2
)

var reusePortSourceNames = enum.Of[ReusePortSource]("reuseport_source", "unknown", "inferred", "asked")

// String is the name in payloads, such as "inferred".
func (s ReusePortSource) String() string { return reusePortSourceNames.Name(s) }

// ReusePortSources returns every source's name by its number.
func ReusePortSources() map[int]string { return reusePortSourceNames.All() }

// maxAsked is how many holders of a socket are tried.
const maxAsked = 4

// reusePort tells whether the sockets at one place have SO_REUSEPORT.
func (d *describer) reusePort(sockets []*Socket) (*bool, ReusePortSource) {
	first := sockets[0]
	if first.Network == TCP && len(sockets) > 1 {
		return new(true), ReusePortInferred
	}

	holders := d.held[first.Inode]
	for _, h := range holders[:min(len(holders), maxAsked)] {
		if set, ok := askReusePort(h, first.Inode); ok {
			return &set, ReusePortAsked
		}
	}

	return nil, ReusePortUnknown
}

// askReusePort asks a copy of the descriptor (pidfd_getfd(2), Linux 5.6), for which one must be allowed to trace the
// process. By its inode the copy is known to be the socket, whatever the process has closed and opened meanwhile.
func askReusePort(h holding, inode uint32) (set, ok bool) {
	process, err := unix.PidfdOpen(h.pid, 0)
	if err != nil {
		return false, false
	}
	defer func() { _ = unix.Close(process) }()

	fd, err := unix.PidfdGetfd(process, h.fd, 0)
	if err != nil {
		return false, false
	}
	defer func() { _ = unix.Close(fd) }()

	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || stat.Ino != uint64(inode) {
		return false, false
	}

	value, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT)

	return value != 0, err == nil
}
