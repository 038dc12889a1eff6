package nginx

import (
	"crypto/sha256"
	"hash"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// contentLimit bounds what is read of the files of one configuration; 50,000 virtual hosts take about 8 MB.
	contentLimit = 256 << 20
	// startPrecision is how much later than its start a process may seem to have begun, and a file's stamp to be older:
	// starttime of proc_pid_stat(5) counts clock ticks of 10 ms.
	startPrecision = 20 * time.Millisecond
)

// contents is the configuration on disk, certificates and keys included, as a test found it.
type contents struct {
	digest [sha256.Size]byte
	stamps []stamp
	// readAt is when the test began.
	readAt time.Time
}

// library matches what the loader opens; dynamic modules of nginx end in .so as well but are found by the configuration.
var library = regexp.MustCompile(`\.so(\.[0-9]+)*$`)

// surroundings are what the C library and OpenSSL read while the configuration is loaded.
var surroundings = []string{
	"/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/hosts",
	"/etc/host.conf", "/etc/gai.conf", "/etc/localtime", "/etc/services", "/etc/protocols",
}

// readContents digests the files of fingerprint f that nginx takes its configuration from, in the tree of the caller.
func readContents(f *fingerprint, readAt time.Time) contents {
	c := contents{readAt: readAt}
	sum := sha256.New()
	left := int64(contentLimit)

	for _, s := range f.stamps {
		if s.mode&unix.S_IFMT != unix.S_IFREG || !isConfiguration(s.path) {
			continue
		}

		c.stamps = append(c.stamps, s)
		left -= addContent(sum, s.path, left)
	}

	sum.Sum(c.digest[:0])

	return c
}

func isConfiguration(name string) bool {
	return !library.MatchString(name) && !slices.Contains(surroundings, name) && path.Base(name) != "openssl.cnf" &&
		!strings.HasPrefix(name, "/usr/share/zoneinfo/") && !strings.HasPrefix(name, "/usr/lib/locale/")
}

// addContent digests a file with its name. One that is gone, that only others may read or that is no file any more is digested as empty.
func addContent(sum hash.Hash, name string, limit int64) (read int64) {
	_, _ = io.WriteString(sum, name+"\x00")

	// A certificate may be anybody's, who may put a pipe there.
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer file.Close()

	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0
	}

	read, _ = io.Copy(sum, io.LimitReader(file, limit))

	return read
}

// changedAfter returns the time of the first change after t; zero where there was none.
func (c *contents) changedAfter(t time.Time) (first time.Time) {
	for _, s := range c.stamps {
		if at := time.Unix(0, s.change); at.After(t) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}

	return first
}

// loaded is what is known of the configuration that the running workers took.
type loaded struct {
	at     time.Time
	known  bool
	digest [sha256.Size]byte
	// pendingSince is zero while nothing waits for a reload.
	pendingSince time.Time
}

// observe compares what is on disk with what the workers that began at workersAt took.
func (l *loaded) observe(workersAt time.Time, disk *contents) {
	if !workersAt.Equal(l.at) {
		*l = loaded{at: workersAt}
	}

	first := disk.changedAfter(workersAt.Add(startPrecision))

	if !l.known && first.IsZero() {
		// Nothing has changed since the workers began, so this is what they have.
		l.known, l.digest = true, disk.digest
	}

	switch {
	case l.known && l.digest == disk.digest:
		l.pendingSince = time.Time{}
	case !l.pendingSince.IsZero():
	case first.IsZero():
		// A file has gone, or is no longer included.
		l.pendingSince = disk.readAt
	default:
		l.pendingSince = first
	}
}
