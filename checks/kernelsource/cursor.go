package kernelsource

import (
	"bytes"
	"encoding/binary"
)

// cursor reads what DWARF is made of. Behind the end of the bytes it gives zeros, and short says so.
type cursor struct {
	rest  []byte
	order binary.ByteOrder
	short bool
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.short, c.rest = true, nil

		return nil
	}

	taken := c.rest[:n]
	c.rest = c.rest[n:]

	return taken
}

// number has 1, 2, 4 or 8 bytes.
func (c *cursor) number(size uint64) uint64 {
	b := c.bytes(size)

	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(c.order.Uint16(b))
	case 4:
		return uint64(c.order.Uint32(b))
	case 8:
		return c.order.Uint64(b)
	}

	return 0
}

// leb is a number of any length (LEB128), without a sign.
func (c *cursor) leb() uint64 {
	value, n := binary.Uvarint(c.rest)
	c.bytes(uint64(max(n, 0)))
	c.short = c.short || n <= 0

	return value
}

// signed is a number of any length with a sign, as what it adds to another.
func (c *cursor) signed() uint64 {
	const (
		more = 0x80
		sign = 0x40
		most = 64
	)

	value := uint64(0)

	for shift := uint(0); shift < most; shift += 7 {
		b := c.number(1)
		value |= (b &^ more) << shift

		if b&more == 0 {
			if b&sign != 0 && shift+7 < most {
				value |= ^uint64(0) << (shift + 7)
			}

			return value
		}
	}

	c.short = true

	return 0
}

// text ends with a zero byte.
func (c *cursor) text() string {
	end := bytes.IndexByte(c.rest, 0)
	if end < 0 {
		c.short, c.rest = true, nil

		return ""
	}

	return string(c.bytes(uint64(end) + 1)[:end])
}

// unit is the length that a unit begins with, and the size of the offsets in it.
func (c *cursor) unit() (length, offsetSize uint64) {
	const (
		long     = 0xffffffff
		reserved = 0xfffffff0
	)

	length = c.number(4)
	if length == long {
		return c.number(8), 8
	}

	c.short = c.short || length >= reserved

	return length, 4
}
