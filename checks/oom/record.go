package oom

import (
	"bytes"
	"strconv"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// record is one entry of the kernel log as /dev/kmsg gives it: "priority,sequence,microseconds,flags;text", then lines
// of properties, which are left out (Documentation/ABI/testing/dev-kmsg).
type record struct {
	sequence uint64
	// sinceBoot is the time on the kernel's scheduler clock, which stands still in suspend as CLOCK_MONOTONIC does.
	sinceBoot time.Duration
	// byKernel is false for what a process wrote into the log.
	byKernel bool
	// continues marks the further part of a line that the kernel printed piecemeal.
	continues bool
	text      string
}

func parseRecord(data []byte) (record, bool) {
	prefix, text, found := bytes.Cut(data, []byte(";"))
	if !found {
		return record{}, false
	}

	fields := bytes.SplitN(prefix, []byte(","), 5)
	if len(fields) < 4 {
		return record{}, false
	}

	priority, ok := procfile.Uint(fields[0])
	if !ok {
		return record{}, false
	}

	sequence, ok := procfile.Uint(fields[1])
	if !ok {
		return record{}, false
	}

	micros, ok := procfile.Uint(fields[2])
	if !ok || micros > uint64(maxSinceBoot/time.Microsecond) {
		return record{}, false
	}

	text, _, _ = bytes.Cut(text, []byte("\n"))

	return record{
		sequence:  sequence,
		sinceBoot: time.Duration(micros) * time.Microsecond,
		byKernel:  priority < firstUserPriority,
		continues: bytes.ContainsAny(fields[3], "c+"),
		text:      unescape(text),
	}, true
}

const (
	maxSinceBoot = 100 * 365 * 24 * time.Hour
	// firstUserPriority is facility 1 with level 0. The kernel lets no process write with facility 0.
	firstUserPriority = 8
)

// unescape turns \xHH, which the log puts for control characters, bytes beyond ASCII and the backslash, back.
func unescape(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text)
	}

	plain := make([]byte, 0, len(text))

	for len(text) > 0 {
		if len(text) >= 4 && text[0] == '\\' && text[1] == 'x' {
			if value, err := strconv.ParseUint(string(text[2:4]), 16, 8); err == nil {
				plain, text = append(plain, byte(value)), text[4:]

				continue
			}
		}

		plain, text = append(plain, text[0]), text[1:]
	}

	return string(plain)
}
