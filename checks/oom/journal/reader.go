// Package journal reads the kernel log of this boot as systemd has kept it, for those who may not read the log itself. It asks journalctl, as the format
// of the files is systemd's own.
package journal

import (
	"errors"
	"fmt"
)

// maxEntries bounds one reading; the next goes on. The first begins with the last entries of the boot.
const maxEntries = "10000"

// Reader reads each entry once. It is for one caller at a time.
type Reader struct {
	// candidates are the paths of journalctl, and further are more arguments for it.
	candidates, further []string
	// cursor is the last entry that was read.
	cursor string
}

// NewReader reads nothing yet. A test's journal needs further arguments for journalctl.
func NewReader(further ...string) *Reader { return &Reader{candidates: paths(), further: further} }

// Read hands what is new to take. It fails where this user may not read the journal, or where that has nothing of the kernel.
func (r *Reader) Read(take func(Entry)) error {
	path, err := findProgram(r.candidates)
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}

	arguments := append([]string{
		"--dmesg", "--boot", "--no-pager", "--quiet", "--output=json", "--output-fields=MESSAGE,SYSLOG_FACILITY,_SOURCE_MONOTONIC_TIMESTAMP",
		"--lines=" + maxEntries,
	}, r.further...)
	if r.cursor != "" {
		arguments = append(arguments, "--after-cursor="+r.cursor)
	}

	err = run(path, arguments, func(line []byte) {
		if e, ok := parseEntry(line); ok {
			r.cursor = e.Cursor
			take(e)
		}
	})

	switch {
	case errors.Is(err, errCut) && r.cursor != "":
		return nil
	case err != nil:
		return fmt.Errorf("cannot read the journal: %w; add this user to the group systemd-journal", err)
	case r.cursor == "":
		return errors.New("cannot read the journal: it has nothing of the kernel since boot that this user may read; " +
			"add this user to the group systemd-journal, and let journald read the kernel log (ReadKMsg=yes)")
	}

	return nil
}
