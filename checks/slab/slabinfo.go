package slab

import (
	"bytes"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Marks of slabinfo 2.0 and 2.1: "name active num size perslab pages : tunables a b c : slabdata active num shared",
// on SLAB kernels with statistics followed by " : globalstat ... : cpustat ...".
var (
	newline      = []byte("\n")
	titleMark    = []byte("slabinfo")
	tunablesMark = []byte(" : tunables")
	slabdataMark = []byte(" : slabdata")
)

const (
	blanks = " \t"
	// nameWidth is what the kernel pads shorter names to.
	nameWidth = 17
)

// parseCache understands one line. It finds the numbers from the right, because a name may hold anything, also spaces.
// It says why where it cannot.
func parseCache(line []byte) (c Cache, stays layout, why string) {
	head, rest, found := bytes.Cut(line, tunablesMark)
	if !found {
		return c, stays, "no tunables"
	}

	_, slabdata, found := bytes.Cut(rest, slabdataMark)
	if !found {
		return c, stays, "no slabdata"
	}

	name := head
	for _, field := range []*uint64{&c.PagesPerSlab, &c.ObjectsPerSlab, &c.ObjectSize, &c.Objects, &c.ActiveObjects} {
		var ok bool
		if name, *field, ok = cutLast(name); !ok {
			return c, stays, "not five numbers before the tunables"
		}
	}

	if name = bytes.TrimSpace(name); len(name) == 0 {
		return c, stays, "no name"
	}

	numbers := slabdata

	var shared uint64
	for _, field := range []*uint64{&c.ActiveSlabs, &c.Slabs, &shared} {
		var ok bool
		if numbers, *field, ok = cutFirst(numbers); !ok {
			return c, stays, "not three numbers after slabdata"
		}
	}

	c.Name = string(name)
	stays = layout{head: padded(line, c.Name), middle: middle(head, line[:len(line)-len(slabdata)])}

	return c, stays, ""
}

// padded returns the name with the spaces that the kernel puts behind a short one.
func padded(line []byte, name string) string {
	if head := string(line[:min(nameWidth, len(line))]); strings.TrimRight(head, " ") == name {
		return head
	}

	return name
}

// middle returns what stands between the second number of head and the slab numbers.
func middle(head, line []byte) string {
	for range 3 {
		head, _, _ = cutLast(head)
	}

	return string(line[len(bytes.TrimRight(head, blanks)):])
}

// cutLast takes the number at the end of the text off.
func cutLast(text []byte) (rest []byte, value uint64, ok bool) {
	text = bytes.TrimRight(text, blanks)
	start := bytes.LastIndexAny(text, blanks) + 1
	value, ok = procfile.Uint(text[start:])

	return text[:start], value, ok
}

// cutFirst takes the number at the start of the text off.
func cutFirst(text []byte) (rest []byte, value uint64, ok bool) {
	text = bytes.TrimLeft(text, blanks)

	end := bytes.IndexAny(text, blanks)
	if end < 0 {
		end = len(text)
	}

	value, ok = procfile.Uint(text[:end])

	return text[end:], value, ok
}
