package watch

import (
	"net/netip"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

// Event is a process that listened on an address, from its first socket there to the end of its last.
type Event struct {
	// Number tells events apart as long as the watch runs; they are numbered in order.
	Number uint64 `json:"number"`
	// OpenedAt is the beginning of the watch for one that was there before; only foreign ones are told of.
	OpenedAt float64 `json:"opened_at"`
	// LifetimeS is absent while it listens, and where its beginning or its end was not seen.
	LifetimeS *float64         `json:"lifetime_s,omitempty"`
	Listening bool             `json:"listening"`
	Network   listener.Network `json:"network"`
	// Address has port 0 until it is known which one the kernel chose.
	Address netip.AddrPort `json:"address"`
	// NamespaceID is the network namespace, by the number that lsns(8) shows.
	NamespaceID uint64 `json:"namespace_id"`
	// Sockets is how many the process opened there, one for each worker where an nginx has reuseport.
	Sockets int `json:"sockets"`
	// ReusePort tells whether SO_REUSEPORT is set; absent where it is unknown.
	ReusePort *bool `json:"reuseport,omitempty"`
	// Joined says that somebody listened on that address already.
	Joined bool `json:"joined"`
	// Refused says that the kernel refused listen(2) after all, as the address was in use: it never listened.
	Refused bool `json:"refused,omitempty"`
	// Process is absent where nobody knows who it was.
	Process *Process `json:"process,omitempty"`
	// Parents are the process's parent, its parent and so on, at most four.
	Parents []Process `json:"parents"`
	UID     uint32    `json:"uid"`
	User    string    `json:"user,omitempty"`
	// Cgroup and Unit are the process's cgroup and its service or scope of systemd.
	Cgroup string `json:"cgroup,omitempty"`
	Unit   string `json:"unit,omitempty"`
	// Foreign says that it listened beside an nginx to which it does not belong, Concerns which ones.
	Foreign  bool      `json:"foreign"`
	Concerns []Concern `json:"concerns,omitempty"`
	Sentence string    `json:"sentence"`

	before bool
}

// Process is one that opened a socket, or one above it.
type Process struct {
	// PID is the number on the host.
	PID       int     `json:"pid"`
	Name      string  `json:"name"`
	StartedAt float64 `json:"started_at"`
	// CommandLine has a space between the arguments, and '?' for control characters.
	CommandLine string `json:"command_line,omitempty"`
	// Executable is the program's file; where Brief is set, the name by which the program was started (execve(2)), which for a
	// script is the script's. It is absent for parents.
	Executable string `json:"executable,omitempty"`
	// Brief says that it was gone before /proc could be read, or that too many came at once for that: only what the kernel
	// told is known.
	Brief bool `json:"brief,omitempty"`
}

// Concern is an nginx that an event is foreign to.
type Concern struct {
	MasterPID     int               `json:"master_pid"`
	MasterAddress netip.AddrPort    `json:"master_address"`
	Relation      listener.Relation `json:"relation"`
	RelationName  string            `json:"relation_name"`
}
