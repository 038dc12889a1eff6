package hazard

import (
	"net/netip"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

// Facts is what is known of an instance and its host.
type Facts struct {
	// Program is what the program that tests calls itself, such as "nginx/1.24.0 (Ubuntu)"; empty where it is unknown.
	Program string
	// Base is the version of nginx that it is made of; empty where it is unknown.
	Base instance.Version
	// Running says that the instance has a master.
	Running bool
	// Binds are the addresses that a test would take, Writes the changes to files that it would make.
	Binds  []Bind
	Writes []Write
	// Listening are the addresses on which somebody listens now, those of unix sockets too.
	Listening []Listener
	// ListeningKnown is false where Listening could not be found out: then nothing is said of open ports and sockets.
	ListeningKnown bool
	// MigrateReq is net.ipv4.tcp_migrate_req; nil where the kernel has none or it is unknown.
	MigrateReq *bool
	Schedule   Schedule
}

// Listener is an address on which somebody listens.
type Listener struct {
	// Network is "tcp", "udp" or "unix".
	Network string
	Address netip.AddrPort
	Path    string
}

// Bind is an address that a test would take.
type Bind struct {
	Network   string
	Address   netip.AddrPort
	Path      string
	ReusePort bool
	// Exists says that a unix socket's file is there.
	Exists bool
	// Where is the file and line of the listen directive, where they are known.
	Where string
}

// Write is a change to a file that a test would make.
type Write struct {
	Path string
	// Action is "chown" for the only change that matters here.
	Action string
	Exists bool
	// OwnerUID and OwnerGID are the file's own; UID and GID are what the test would set, nil for no change.
	OwnerUID uint32
	OwnerGID uint32
	UID      *uint32
	GID      *uint32
}

// changesOwner tells whether somebody loses a file that is there.
func (w Write) changesOwner() bool {
	return w.Action == "chown" && w.Exists && (w.UID != nil && *w.UID != w.OwnerUID || w.GID != nil && *w.GID != w.OwnerGID)
}

// shown is an address as people write it.
func (b Bind) shown() string {
	if b.Network == "unix" {
		return "unix:" + b.Path
	}

	return b.Address.String()
}

// held tells whether somebody listens where a test would, so that its bind fails and does no harm.
func (f Facts) held(b Bind) bool {
	for _, l := range f.Listening {
		if l.Network != b.Network || l.Path != b.Path || l.Address.Port() != b.Address.Port() {
			continue
		}

		theirs, ours := l.Address.Addr().Unmap(), b.Address.Addr().Unmap()
		if theirs == ours || theirs.Is4() == ours.Is4() && (theirs.IsUnspecified() || ours.IsUnspecified()) {
			return true
		}
	}

	return false
}

// name is what the sentences call the program.
func (f Facts) name() string {
	if f.Program == "" {
		return "nginx of an unknown version"
	}

	return f.Program
}

// vendor warns that a number is no proof: distributions put their name in brackets, and mend things on their own.
func (f Facts) vendor() string {
	if strings.Contains(f.Program, "(") {
		return ", unless its distributor has mended that"
	}

	return ""
}
