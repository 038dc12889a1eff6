package kernelsource

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// span is code of one unit, by the place of the unit in .debug_info.
type span struct{ from, size, unit uint64 }

var errSpans = errors.New(".debug_aranges is not what it should be")

// readSpans reads which code is of which unit. gcc writes that; clang does only when it is told to.
func (o *object) readSpans() error {
	s, err := o.debug(".debug_aranges")
	if err != nil {
		return fmt.Errorf("%w: it has no debug information, or a compiler that tells less than gcc made it", err)
	}

	if s.FileSize > maxPart {
		return errSpans
	}

	part, err := o.relocated(s, 0, s.FileSize)
	if err != nil {
		return err
	}

	o.spans, err = parseSpans(part, o.file.ByteOrder)

	return err
}

// parseSpans reads .debug_aranges (section 6.1.2 of DWARF 5).
func parseSpans(part []byte, order binary.ByteOrder) (all []span, err error) {
	const (
		version      = 2
		addressBytes = 8
		tupleBytes   = 2 * addressBytes
	)

	for c := (cursor{rest: part, order: order}); len(c.rest) > 0; {
		before := uint64(len(c.rest))
		length, offsetSize := c.unit()
		header := before - uint64(len(c.rest))
		set := cursor{rest: c.bytes(length), order: order}
		kind, unit, address, segment := set.number(2), set.number(offsetSize), set.number(1), set.number(1)

		// The pairs begin at a multiple of their size, from the beginning of the set.
		header += 4 + offsetSize
		set.bytes((tupleBytes - header%tupleBytes) % tupleBytes)

		if c.short || set.short || kind != version || address != addressBytes || segment != 0 {
			return nil, errSpans
		}

		for len(set.rest) >= tupleBytes {
			if from, size := set.number(addressBytes), set.number(addressBytes); size != 0 {
				all = append(all, span{from, size, unit})
			}
		}
	}

	return all, nil
}

// unitOf is the unit whose code holds an address.
func (o *object) unitOf(address uint64) (unit uint64, ok bool) {
	for _, s := range o.spans {
		if address-s.from < s.size && address >= s.from {
			return s.unit, true
		}
	}

	return 0, false
}

// unitHead is what a unit says of its line table.
type unitHead struct {
	lines     uint64
	directory string
}

// maxHead is more than the first entry of a unit has, and maxAbbreviations more than all kinds of entries of one.
const (
	maxHead          = 4 << 10
	maxAbbreviations = 64 << 10
)

var errUnit = errors.New("a unit of .debug_info is not what it should be")

// head reads the first entry of a unit, which says where its lines are.
func (o *object) head(unit uint64) (h unitHead, err error) {
	info, err := o.debug(".debug_info")
	if err != nil {
		return h, err
	}

	part, err := o.relocated(info, unit, min(maxHead, info.FileSize-min(unit, info.FileSize)))
	if err != nil {
		return h, err
	}

	c := cursor{rest: part, order: o.file.ByteOrder}
	_, offsetSize := c.unit()

	var abbreviations uint64

	version := c.number(2)

	switch version {
	case 2, 3, 4:
		abbreviations = c.number(offsetSize)
		c.number(1)
	case 5:
		// The kind of the unit; only an ordinary one has code.
		if kind := c.number(1); kind != 1 {
			return h, errUnit
		}

		c.number(1)
		abbreviations = c.number(offsetSize)
	default:
		return h, fmt.Errorf("it is in version %d of DWARF", version)
	}

	kinds, err := o.debug(".debug_abbrev")
	if err != nil {
		return h, err
	}

	table, err := o.part(kinds, abbreviations, maxAbbreviations)
	if err != nil {
		return h, err
	}

	return o.entry(&c, cursor{rest: table, order: c.order}, offsetSize)
}

// part reads what there is of a section from a place on, at most so many bytes.
func (o *object) part(s *elf.Section, at, most uint64) ([]byte, error) {
	return o.read(s, at, min(most, s.FileSize-min(at, s.FileSize)))
}
