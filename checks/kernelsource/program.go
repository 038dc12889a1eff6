package kernelsource

// place is a line of a file, by the number of the file in the table.
type place struct{ file, line uint64 }

// position is how far a table was followed.
type position struct {
	address uint64
	place
}

// find follows the table to an address.
func (t *table) find(address uint64) (found place, ok bool) {
	first := position{place: place{1, 1}}
	now, last := first, position{}
	begun := false

	for c := t.program; len(c.rest) > 0 && !c.short; {
		row, end := t.next(&c, &now)
		if !row {
			continue
		}

		if begun && last.address <= address && address < now.address {
			return last.place, true
		}

		last, begun = now, !end
		if end {
			now = first
		}
	}

	return place{}, false
}

// Instructions of a table, and of those behind a zero.
const (
	copyRow         = 1
	advanceAddress  = 2
	advanceLine     = 3
	setFile         = 4
	addConstant     = 8
	advanceFixed    = 9
	extendedEnd     = 1
	extendedAddress = 2
)

// next follows one instruction. A row is complete with some, and with the end of a sequence.
func (t *table) next(c *cursor, now *position) (row, end bool) {
	special := func(code uint64) uint64 { return code / t.spread * t.step }
	count := uint64(len(t.operands)) + 1

	switch code := c.number(1); {
	case code >= count:
		now.address += special(code - count)
		now.line += uint64(int64(t.base)) + (code-count)%t.spread

		return true, false
	case code == 0:
		return t.extended(c, now)
	case code == copyRow:
		return true, false
	case code == advanceAddress:
		now.address += c.leb() * t.step
	case code == advanceLine:
		now.line += c.signed()
	case code == setFile:
		now.file = c.leb()
	case code == addConstant:
		now.address += special(0xff - count)
	case code == advanceFixed:
		now.address += c.number(2)
	default:
		for range t.operands[code-1] {
			c.leb()
		}
	}

	return false, false
}

func (t *table) extended(c *cursor, now *position) (row, end bool) {
	body := cursor{rest: c.bytes(c.leb()), order: c.order}

	switch body.number(1) {
	case extendedEnd:
		return true, true
	case extendedAddress:
		now.address = body.number(uint64(len(body.rest)))
	}

	return false, false
}
