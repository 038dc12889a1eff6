package journal

import (
	"encoding/json"
	"strconv"
	"time"
)

// Entry is a message of the kernel log as the journal has kept it.
type Entry struct {
	// Cursor is where it stands in the journal.
	Cursor string
	// SinceBoot is on the clock of the kernel log.
	SinceBoot time.Duration
	// ByKernel is false for what a process wrote into the kernel log.
	ByKernel bool
	Text     string
}

// kernelFacility is what no process may write with.
const kernelFacility = "0"

const maxSinceBoot = 100 * 365 * 24 * time.Hour

// parseEntry reads a line of journalctl's JSON (systemd.journal-fields(7)). It is false for one that is no message of the kernel log.
func parseEntry(line []byte) (e Entry, ok bool) {
	var fields struct {
		Cursor    string          `json:"__CURSOR"`
		Facility  string          `json:"SYSLOG_FACILITY"`
		SinceBoot string          `json:"_SOURCE_MONOTONIC_TIMESTAMP"`
		Message   json.RawMessage `json:"MESSAGE"`
	}

	if json.Unmarshal(line, &fields) != nil || fields.Cursor == "" {
		return Entry{}, false
	}

	micros, err := strconv.ParseUint(fields.SinceBoot, 10, 64)
	if err != nil || micros > uint64(maxSinceBoot/time.Microsecond) {
		return Entry{}, false
	}

	e = Entry{Cursor: fields.Cursor, SinceBoot: time.Duration(micros) * time.Microsecond, ByKernel: fields.Facility == kernelFacility}

	if json.Unmarshal(fields.Message, &e.Text) == nil {
		return e, true
	}

	// A message that is no text is a list of its bytes.
	var numbers []uint16
	if json.Unmarshal(fields.Message, &numbers) != nil {
		return Entry{}, false
	}

	bytes := make([]byte, len(numbers))
	for i, n := range numbers {
		bytes[i] = byte(n)
	}

	e.Text = string(bytes)

	return e, true
}
