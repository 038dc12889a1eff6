package kernelsource

import (
	"errors"
	"fmt"
	"path"
)

var errTable = errors.New("a unit of .debug_line is not what it should be")

// table is the line table of one unit (section 6.2 of DWARF 5). debug/dwarf has a reader of it, which makes room for as many files as a table says that it
// has: one of 26 bytes took 4 GiB and 43 s there.
type table struct {
	version, offsetSize uint64
	step                uint64 // the size of the smallest instruction
	base                int8
	spread              uint64
	operands            []byte // how many each instruction has that is not a special one, from 1 on
	names, program      cursor
	directory           string
}

// tableFor reads the line table of a unit, or gives the one that was read last.
func (o *object) tableFor(unit uint64) (*table, error) {
	if o.table != nil && o.tableOf == unit {
		return o.table, nil
	}

	head, err := o.head(unit)
	if err != nil {
		return nil, err
	}

	section, err := o.debug(".debug_line")
	if err != nil {
		return nil, err
	}

	const longest = 12

	start, err := o.part(section, head.lines, longest)
	if err != nil {
		return nil, err
	}

	c := cursor{rest: start, order: o.file.ByteOrder}

	length, offsetSize := c.unit()
	if c.short || length > maxPart {
		return nil, errTable
	}

	lines, err := o.relocated(section, head.lines+uint64(len(start)-len(c.rest)), length)
	if err != nil {
		return nil, err
	}

	t := &table{offsetSize: offsetSize, directory: head.directory}
	if err := t.parse(cursor{rest: lines, order: o.file.ByteOrder}); err != nil {
		return nil, err
	}

	o.table, o.tableOf = t, unit

	return t, nil
}

// parse reads the header up to the names of the files.
func (t *table) parse(c cursor) error {
	const oldest, newest, many = 2, 5, 4

	if t.version = c.number(2); t.version < oldest || t.version > newest {
		return fmt.Errorf("a unit of .debug_line has the version %d", t.version)
	}

	if t.version == newest {
		c.number(1) // the size of an address
		c.number(1)
	}

	header := cursor{rest: c.bytes(c.number(t.offsetSize)), order: c.order}
	t.program = c
	t.step = header.number(1)
	perInstruction := uint64(1)

	if t.version >= many {
		perInstruction = header.number(1)
	}

	header.number(1)
	t.base, t.spread = int8(header.number(1)), header.number(1)
	t.operands = header.bytes(max(header.number(1), 1) - 1)
	t.names = header

	if c.short || header.short || t.spread == 0 || perInstruction != 1 {
		return errTable
	}

	return nil
}

// join makes a path of folders, each of which may be below the one before or begin anew.
func join(parts ...string) string {
	whole := ""

	for _, part := range parts {
		if path.IsAbs(part) {
			whole = part
		} else {
			whole = path.Join(whole, part)
		}
	}

	return whole
}
