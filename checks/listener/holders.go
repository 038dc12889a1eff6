package listener

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Search is how far the processes of the host could be looked through for those that hold a socket.
type Search struct {
	// Processes were looked through.
	Processes int `json:"processes"`
	// Unreadable processes may hold sockets that are not attributed to them.
	Unreadable int `json:"unreadable"`
	// Unsearched processes were left out, as the search had become too long.
	Unsearched int `json:"unsearched"`
	// Note says what is missing and what mends it; empty where all was looked through.
	Note string `json:"note,omitempty"`
}

// holding is a descriptor of a socket.
type holding struct{ pid, fd int }

// holdings are the descriptors of sockets by inode, at most one for each process.
type holdings map[uint32][]holding

// findHolders looks through the descriptors of all processes for sockets with these inodes. It takes some microseconds
// for each descriptor on the host.
func (r *Reader) findHolders(ctx context.Context, wanted map[uint32]struct{}) (holdings, Search, error) {
	var s Search

	found := make(holdings, len(wanted))
	if len(wanted) == 0 {
		return found, s, nil
	}

	dir, err := os.Open(r.proc)
	if err != nil {
		return nil, s, fmt.Errorf("cannot list the processes: %w; mount proc there", err)
	}
	defer dir.Close()

	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, s, fmt.Errorf("cannot list the processes: %w", err)
	}

	walk := descriptorWalk{left: maxDescriptors}

	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}

		if walk.left <= 0 || ctx.Err() != nil {
			s.Unsearched++

			continue
		}

		s.count(walk.sockets(filepath.Join(r.proc, name, "fd"), func(inode uint32, fd int) {
			if _, is := wanted[inode]; is {
				found.add(inode, holding{pid: pid, fd: fd})
			}
		}))
	}

	s.explain(r.proc)

	return found, s, nil
}

// add keeps one descriptor of each process; those of one process come in a row.
func (h holdings) add(inode uint32, one holding) {
	if all := h[inode]; len(all) == 0 || all[len(all)-1].pid != one.pid {
		h[inode] = append(all, one)
	}
}

func (s *Search) count(err error) {
	switch {
	case err == nil:
		s.Processes++
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ESRCH):
		// It has ended meanwhile.
	default:
		s.Unreadable++
	}
}

func (s *Search) explain(proc string) {
	switch {
	case s.Unsearched > 0:
		s.Note = fmt.Sprintf("%d processes were not searched: the host has too many open files for one search", s.Unsearched)
	case s.Unreadable > 0:
		s.Note = fmt.Sprintf("%d processes unreadable: run as root or through the helper", s.Unreadable)
	case !exists(filepath.Join(proc, "1")):
		s.Note = "the processes of others are hidden (hidepid of proc(5)): run as root or through the helper"
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)

	return err == nil
}
