package sandbox

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Bind is an address that the test would have taken. No port was.
type Bind struct {
	// Network is "tcp", "udp", "ip", "unix" or "unixgram".
	Network string         `json:"network"`
	Address netip.AddrPort `json:"address,omitzero"`
	// Path is that of a unix socket, without symbolic links; a name in the abstract name space starts with @.
	Path      string `json:"path,omitempty"`
	ReusePort bool   `json:"reuse_port"`
	// Errno is the name of the error that the test got, such as "EADDRNOTAVAIL"; empty for success.
	Errno string `json:"errno,omitempty"`
}

// Write is a change to a file that the test would have made. None was.
type Write struct {
	// Path is in the root directory of the test, without symbolic links.
	Path string `json:"path"`
	// Action is open (to write), mkdir, mknod, symlink, link, unlink, rmdir, rename, truncate, chown, chmod or utime.
	Action string `json:"action"`
	// To is the new path of a rename.
	To string `json:"to,omitempty"`
	// Exists tells whether the file is really there; then OwnerUID, OwnerGID and OwnerMode are its own.
	Exists    bool   `json:"exists"`
	OwnerUID  uint32 `json:"owner_uid"`
	OwnerGID  uint32 `json:"owner_gid"`
	OwnerMode uint32 `json:"owner_mode"`
	// UID and GID are what chown asks for, Mode what chmod does; nil leaves it.
	UID  *uint32 `json:"uid,omitempty"`
	GID  *uint32 `json:"gid,omitempty"`
	Mode *uint32 `json:"mode,omitempty"`
	// Errno is the name of the error that the test got, such as "EACCES"; empty for success.
	Errno string `json:"errno,omitempty"`
}

// Read is a path that the test opened to read, absolute in its root directory, as it wrote it. It need not exist.
type Read struct {
	Path      string `json:"path"`
	Directory bool   `json:"directory"`
}

// Result is what one test said and what it would have done.
type Result struct {
	Technique Technique `json:"technique"`
	// ExitCode is -1 where a signal ended the test.
	ExitCode int `json:"exit_code"`
	// Signal is the name of the signal that ended the test, such as "SIGSEGV"; empty where none did.
	Signal   string `json:"signal,omitempty"`
	TimedOut bool   `json:"timed_out"`

	DurationS float64 `json:"duration_s"`
	CPUS      float64 `json:"cpu_s"`
	// MaxRSSBytes is the most memory the test held; 0 where it did not come to its end.
	MaxRSSBytes uint64 `json:"max_rss_bytes"`

	// NoFile is the limit of open files that the test got. It may be less than it should have: only root with CAP_SYS_RESOURCE may exceed its own.
	NoFile uint64 `json:"no_file"`

	// Output is what the test wrote on both standard streams, in its order: the first 16 KiB and the last 48 KiB.
	Output             []byte `json:"output"`
	OutputOmittedBytes int64  `json:"output_omitted_bytes"`

	// Each entry once, in order of the first time; the counts are of further different ones.
	Binds         []Bind  `json:"binds"`
	BindsOmitted  int     `json:"binds_omitted"`
	Writes        []Write `json:"writes"`
	WritesOmitted int     `json:"writes_omitted"`
	Reads         []Read  `json:"reads"`
	ReadsOmitted  int     `json:"reads_omitted"`
	// Refusals are calls that no configuration test needs, and that failed or did nothing.
	Refusals        []string `json:"refusals,omitempty"`
	RefusalsOmitted int      `json:"refusals_omitted,omitempty"`

	// Notifications is how many system calls the supervisor answered.
	Notifications int `json:"notifications"`
	// Survivors is set where a process that the test started could not be ended. All that could change anything still fails for it.
	Survivors bool `json:"survivors,omitempty"`
}

// What a result holds at most. Each vhost may have a log and two certificate files.
const (
	maxBinds    = 4_096
	maxWrites   = 60_000
	maxReads    = 200_000
	maxRefusals = 100
)

// recorder collects what a test would do.
type recorder struct {
	result *Result
	// bytes is how long all recorded paths are.
	bytes    int
	binds    list[Bind]
	writes   list[writeKey]
	reads    list[Read]
	refusals list[string]
}

type writeKey struct {
	path, action, to, errno string
	uid, gid, mode          uint32
}

// list takes each entry once, up to a limit.
type list[T comparable] struct{ seen map[T]struct{} }

// add tells whether the entry is new and fits, and else counts it if it is new. Entries beyond twice the limit are counted each time.
func (l *list[T]) add(entry T, limit int, omitted *int) bool {
	if _, ok := l.seen[entry]; ok {
		return false
	}
	if l.seen == nil {
		l.seen = map[T]struct{}{}
	}
	if len(l.seen) < 2*limit {
		l.seen[entry] = struct{}{}
	}
	if len(l.seen) > limit {
		*omitted++
		return false
	}
	return true
}

func (r *recorder) bind(b Bind) {
	if r.binds.add(b, maxBinds, &r.result.BindsOmitted) {
		r.result.Binds = append(r.result.Binds, b)
	}
}

func (r *recorder) write(w Write) {
	key := writeKey{w.Path, w.Action, w.To, w.Errno, valueOf(w.UID), valueOf(w.GID), valueOf(w.Mode)}
	if r.writes.add(key, r.limit(maxWrites), &r.result.WritesOmitted) {
		r.result.Writes = append(r.result.Writes, w)
		r.bytes += len(w.Path) + len(w.To)
	}
}

func (r *recorder) read(path string, directory bool) {
	if read := (Read{Path: path, Directory: directory}); r.reads.add(read, r.limit(maxReads), &r.result.ReadsOmitted) {
		r.result.Reads = append(r.result.Reads, read)
		r.bytes += len(path)
	}
}

func (r *recorder) refuse(what string) {
	if r.refusals.add(what, maxRefusals, &r.result.RefusalsOmitted) {
		r.result.Refusals = append(r.result.Refusals, what)
	}
}

// limit is that of a list, or 0 where the paths take too much memory.
func (r *recorder) limit(limit int) int {
	if r.bytes > maxPathBytes {
		return 0
	}
	return limit
}

func valueOf(changed *uint32) uint32 {
	if changed == nil {
		return unchanged
	}
	return *changed
}

// newWrite describes what is about to be changed.
func newWrite(action string, place *place) Write {
	w := Write{Path: place.path, Action: action}
	if target := place.target; target != nil && !target.virtual {
		w.Exists, w.OwnerUID, w.OwnerGID, w.OwnerMode = true, target.stat.Uid, target.stat.Gid, target.stat.Mode&0o7777
	}
	return w
}

// errnoName is empty for success.
func errnoName(errno unix.Errno) string {
	if errno == 0 {
		return ""
	}
	return unix.ErrnoName(errno)
}
