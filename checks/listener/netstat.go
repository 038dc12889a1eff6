package listener

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Counters are what the TCP and UDP of one network namespace have counted since its start, or between two readings. A
// counter that the kernel does not have is nil. Sources: /proc/net/netstat and snmp (snmp_counter.rst of the kernel).
type Counters struct {
	// ListenOverflows are connections dropped because a queue was full, ListenDrops those dropped for any reason.
	ListenOverflows *uint64 `json:"listen_overflows,omitempty"`
	ListenDrops     *uint64 `json:"listen_drops,omitempty"`
	// RequestQueueFullCookies and -Drops are connections that met a full queue of half-open ones.
	RequestQueueFullCookies *uint64 `json:"request_queue_full_cookies,omitempty"`
	RequestQueueFullDrops   *uint64 `json:"request_queue_full_drops,omitempty"`
	SyncookiesSent          *uint64 `json:"syncookies_sent,omitempty"`
	EmbryonicResets         *uint64 `json:"embryonic_resets,omitempty"`
	// AbortsOn... are connections that this host reset: data came after the close, it was closed with data unread,
	// memory ran out, the other side did not answer, or it was closed at once (SO_LINGER).
	AbortsOnData    *uint64 `json:"aborts_on_data,omitempty"`
	AbortsOnClose   *uint64 `json:"aborts_on_close,omitempty"`
	AbortsOnMemory  *uint64 `json:"aborts_on_memory,omitempty"`
	AbortsOnTimeout *uint64 `json:"aborts_on_timeout,omitempty"`
	AbortsOnLinger  *uint64 `json:"aborts_on_linger,omitempty"`
	AbortsFailed    *uint64 `json:"aborts_failed,omitempty"`
	BacklogDrops    *uint64 `json:"backlog_drops,omitempty"`
	// MigratedRequests moved from a listener that was closed to another of its group, FailedMigrations could not.
	MigratedRequests *uint64 `json:"migrated_requests,omitempty"`
	FailedMigrations *uint64 `json:"failed_migrations,omitempty"`
	// ConnectFailures are connections that ended before they were established, EstablishedResets those reset after.
	ConnectFailures   *uint64 `json:"connect_failures,omitempty"`
	EstablishedResets *uint64 `json:"established_resets,omitempty"`
	ResetsSent        *uint64 `json:"resets_sent,omitempty"`
	// UDP over IPv4: datagrams to a port where nobody listened, and those that a full socket could not take.
	UDPNoPort            *uint64 `json:"udp_no_port,omitempty"`
	UDPReceiveBufferFull *uint64 `json:"udp_receive_buffer_full,omitempty"`
}

// counters are the names of each in the kernel's files, and its place.
var counters = map[string]func(*Counters) **uint64{
	"TcpExt:ListenOverflows":      func(c *Counters) **uint64 { return &c.ListenOverflows },
	"TcpExt:ListenDrops":          func(c *Counters) **uint64 { return &c.ListenDrops },
	"TcpExt:TCPReqQFullDoCookies": func(c *Counters) **uint64 { return &c.RequestQueueFullCookies },
	"TcpExt:TCPReqQFullDrop":      func(c *Counters) **uint64 { return &c.RequestQueueFullDrops },
	"TcpExt:SyncookiesSent":       func(c *Counters) **uint64 { return &c.SyncookiesSent },
	"TcpExt:EmbryonicRsts":        func(c *Counters) **uint64 { return &c.EmbryonicResets },
	"TcpExt:TCPAbortOnData":       func(c *Counters) **uint64 { return &c.AbortsOnData },
	"TcpExt:TCPAbortOnClose":      func(c *Counters) **uint64 { return &c.AbortsOnClose },
	"TcpExt:TCPAbortOnMemory":     func(c *Counters) **uint64 { return &c.AbortsOnMemory },
	"TcpExt:TCPAbortOnTimeout":    func(c *Counters) **uint64 { return &c.AbortsOnTimeout },
	"TcpExt:TCPAbortOnLinger":     func(c *Counters) **uint64 { return &c.AbortsOnLinger },
	"TcpExt:TCPAbortFailed":       func(c *Counters) **uint64 { return &c.AbortsFailed },
	"TcpExt:TCPBacklogDrop":       func(c *Counters) **uint64 { return &c.BacklogDrops },
	"TcpExt:TCPMigrateReqSuccess": func(c *Counters) **uint64 { return &c.MigratedRequests },
	"TcpExt:TCPMigrateReqFailure": func(c *Counters) **uint64 { return &c.FailedMigrations },
	"Tcp:AttemptFails":            func(c *Counters) **uint64 { return &c.ConnectFailures },
	"Tcp:EstabResets":             func(c *Counters) **uint64 { return &c.EstablishedResets },
	"Tcp:OutRsts":                 func(c *Counters) **uint64 { return &c.ResetsSent },
	"Udp:NoPorts":                 func(c *Counters) **uint64 { return &c.UDPNoPort },
	"Udp:RcvbufErrors":            func(c *Counters) **uint64 { return &c.UDPReceiveBufferFull },
}

// longestLine is longer than any line of these files.
const longestLine = 64 << 10

// Counters reads the counters of the network namespace of the process, pid 0 being this one. errors.Is(err,
// fs.ErrNotExist) tells a process that has ended.
func (r *Reader) Counters(pid int) (Counters, error) {
	var c Counters

	for _, name := range []string{"net/netstat", "net/snmp"} {
		path := r.processPath(pid, name)
		if err := readCounters(path, &c); err != nil {
			return Counters{}, fmt.Errorf("cannot read %s: %w; mount proc there", path, err)
		}
	}

	return c, nil
}

func readCounters(path string, c *Counters) error {
	file, err := os.Open(path)
	if err != nil {
		return bare(err)
	}
	defer file.Close()

	return c.parse(file)
}

// parse reads pairs of lines: "TcpExt: SyncookiesSent ListenDrops ..." and "TcpExt: 0 7 ...".
func (c *Counters) parse(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)

	var group, names []byte

	for lines.Scan() {
		head, rest, found := bytes.Cut(lines.Bytes(), []byte(":"))

		switch {
		case !found:
			group = nil
		case group == nil || !bytes.Equal(head, group):
			group, names = bytes.Clone(head), bytes.Clone(rest)
		default:
			c.take(string(group)+":", bytes.Fields(names), bytes.Fields(rest))

			group = nil
		}
	}

	return lines.Err()
}

// take keeps the counters that are known. A value that is no number, such as -1, is passed over.
func (c *Counters) take(group string, names, values [][]byte) {
	for i := range min(len(names), len(values)) {
		place, known := counters[group+string(names[i])]
		if !known {
			continue
		}

		if value, ok := procfile.Uint(values[i]); ok {
			*place(c) = &value
		}
	}
}

// Since returns how much each counter has grown since before. One that is unknown in either, or that has shrunk because
// they are of different network namespaces, is nil.
func (c Counters) Since(before Counters) Counters {
	var grown Counters

	for _, place := range counters {
		now, then := *place(&c), *place(&before)
		if now != nil && then != nil && *now >= *then {
			*place(&grown) = new(*now - *then)
		}
	}

	return grown
}
