package memory

import (
	"bytes"
	"math/bits"
	"slices"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	kiB    = 1024
	kBLine = " kB\n"
)

var (
	newline = []byte("\n")
	colon   = []byte(":")
	kB      = []byte(" kB")
)

// Meminfo is one reading of /proc/meminfo (proc_meminfo(5)): every field of the file, also those that this package
// knows nothing of. The zero value holds no field.
type Meminfo struct {
	names    []string
	values   []uint64
	problems procfile.Problems
}

// Bytes returns a field under its name in the file, kB turned to bytes; the HugePages counts come as they are.
// It is false for a field that this kernel does not have.
func (m *Meminfo) Bytes(field string) (uint64, bool) {
	for i, name := range m.names {
		if name == field {
			return m.values[i], true
		}
	}

	return 0, false
}

// Percent returns the share of MemTotal in percent, 0 where MemTotal is unknown.
func (m *Meminfo) Percent(bytes uint64) float64 {
	total, _ := m.Bytes("MemTotal")
	if total == 0 {
		return 0
	}

	return 100 * float64(bytes) / float64(total)
}

// parse replaces the content. Each line is compared with the field that stood there last time and looked at more
// closely only where it differs. The list of names is never written to, because other readings may share it.
func (m *Meminfo) parse(data []byte) {
	m.values = m.values[:0]
	m.problems.Reset()

	shared := true
	for number := 1; len(data) > 0; number++ {
		i := len(m.values)

		if shared && i < len(m.names) {
			if value, end := refill(data, m.names[i]); end > 0 {
				m.values = append(m.values, value)
				data = data[end:]

				continue
			}
		}

		var line []byte
		line, data, _ = bytes.Cut(data, newline)

		if len(line) == 0 {
			continue
		}

		name, value, why := parseField(line)
		if why != "" {
			m.problems.Addf("line %d: %s: %s", number, why, procfile.Quote(line))

			continue
		}

		m.values = append(m.values, value)

		if shared && i < len(m.names) && m.names[i] == string(name) {
			continue
		}

		if shared {
			m.names, shared = slices.Clone(m.names[:min(i, len(m.names))]), false
		}

		m.names = append(m.names, string(name))
	}

	m.names = m.names[:len(m.values)]
}

// refill reads the next line if it is the field of that name and as plain as the kernel writes it. It returns the
// length of the line, 0 where parseField must have a closer look.
func refill(data []byte, name string) (value uint64, end int) {
	at := len(name)
	if len(data) <= at || string(data[:at]) != name || data[at] != ':' {
		return 0, 0
	}

	value, at = procfile.Number(data, at+1)

	if rest := len(data) - at; rest >= len(kBLine) && string(data[at:at+len(kBLine)]) == kBLine {
		overflow, bytes := bits.Mul64(value, kiB)
		if overflow != 0 {
			return 0, 0
		}

		return bytes, at + len(kBLine)
	} else if rest > 0 && data[at] == '\n' {
		return value, at + 1
	}

	return 0, 0
}

// parseField understands "Name:   123 kB" and "Name: 123". It says why where it does not.
func parseField(line []byte) (name []byte, value uint64, why string) {
	name, rest, found := bytes.Cut(line, colon)
	if !found || len(name) == 0 {
		return nil, 0, "not a field"
	}

	number, inKB := bytes.CutSuffix(bytes.TrimSpace(rest), kB)

	value, ok := procfile.Uint(bytes.TrimSpace(number))
	if !ok {
		return nil, 0, "not a number"
	}

	if !inKB {
		return name, value, ""
	}

	overflow, value := bits.Mul64(value, kiB)
	if overflow != 0 {
		return nil, 0, "more bytes than 64 bits hold"
	}

	return name, value, ""
}
