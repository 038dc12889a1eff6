package nginx

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// settleTime is how much older than a test a change must be for its time to tell it from a later one: the kernel stamps
// files with a clock that ticks every 1 to 10 ms (CONFIG_HZ).
const settleTime = 50 * time.Millisecond

// fingerprint is what the files that a test read looked like afterwards.
type fingerprint struct {
	stamps []stamp
	// settled is false where a file changed so late that a further change could go unnoticed.
	settled bool
}

// stamp is how a file looked: stat(2) without what reading changes. All but the path are 0 where there was none.
type stamp struct {
	path             string
	device, inode    uint64
	mode             uint32
	size             int64
	modified, change int64 // in nanoseconds
}

// takeFingerprint looks at each path once, in the tree of the caller. testedAt is when the test began.
func takeFingerprint(paths []string, testedAt time.Time) fingerprint {
	f := fingerprint{settled: true, stamps: make([]stamp, 0, len(paths))}
	last := testedAt.Add(-settleTime).UnixNano()

	for _, path := range paths {
		if strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/sys/") || strings.HasPrefix(path, "/dev/") {
			// They look different each time.
			continue
		}

		s := stampOf(path)
		f.stamps = append(f.stamps, s)
		f.settled = f.settled && s.change < last
	}

	slices.SortFunc(f.stamps, func(a, b stamp) int { return cmp.Compare(a.path, b.path) })

	return f
}

func stampOf(path string) stamp {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return stamp{path: path}
	}

	return stamp{
		path: path, device: uint64(st.Dev), inode: st.Ino, mode: st.Mode, size: st.Size,
		modified: st.Mtim.Nano(), change: st.Ctim.Nano(),
	}
}

// changed returns the first file that looks different now in the tree of the caller; empty where none does.
func (f *fingerprint) changed() string {
	for _, s := range f.stamps {
		if stampOf(s.path) != s {
			return s.path
		}
	}

	return ""
}
