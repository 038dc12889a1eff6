package kernelsource

import (
	"debug/elf"
	"errors"
	"fmt"
	"sort"
)

var errNoNames = errors.New("its symbols have no names")

const relocationSize = 24

// relocated reads a part of a section of DWARF. In a module's file what refers to code or to another section is not filled in yet: the kernel
// does that as it loads the module, for code, and never does it for DWARF. The relocations (of elf(5)) are in the order of their places, as
// compiler and linker write them.
func (o *object) relocated(s *elf.Section, at, n uint64) ([]byte, error) {
	part, err := o.read(s, at, n)
	if err != nil || !o.relocatable() {
		return part, err
	}

	for _, r := range o.file.Sections {
		if r.Type != elf.SHT_RELA || int(r.Info) >= len(o.file.Sections) || o.file.Sections[r.Info] != s { //nolint:misspell // it is elf's own
			continue
		}

		if err := o.apply(r, part, at); err != nil {
			return nil, fmt.Errorf("cannot relocate %s: %w", s.Name, err)
		}
	}

	return part, nil
}

func (o *object) apply(relocations *elf.Section, part []byte, at uint64) error {
	total := relocations.FileSize / relocationSize

	var failed error

	place := func(i uint64) uint64 {
		entry, err := o.read(relocations, i*relocationSize, 8)
		if err != nil {
			failed = err

			return 0
		}

		return o.file.ByteOrder.Uint64(entry)
	}
	first := uint64(sort.Search(int(total), func(i int) bool { return place(uint64(i)) >= at }))
	behind := uint64(sort.Search(int(total), func(i int) bool { return place(uint64(i)) >= at+uint64(len(part)) }))

	if failed != nil || first > behind {
		return errors.Join(failed, errors.New("they are in no order"))
	}

	if (behind-first)*relocationSize > maxPart {
		return fmt.Errorf("there are %d", behind-first)
	}

	entries, err := o.read(relocations, first*relocationSize, (behind-first)*relocationSize)
	if err != nil {
		return err
	}

	for c := (cursor{rest: entries, order: o.file.ByteOrder}); len(c.rest) > 0; {
		to, info, addend := c.number(8), c.number(8), c.number(8)
		if to < at {
			return errors.New("they are in no order")
		}

		if err := o.fill(part, to-at, info, addend); err != nil {
			return err
		}
	}

	return nil
}

// fill fills in one relocation. One at the end of the part may not be whole in it, and is left away with what it is in.
func (o *object) fill(part []byte, at, info, addend uint64) error {
	var size uint64

	switch kind := uint32(info); {
	case kind == 0: // none, in both
		return nil
	case o.file.Machine == elf.EM_X86_64 && elf.R_X86_64(kind) == elf.R_X86_64_64, o.file.Machine == elf.EM_AARCH64 && elf.R_AARCH64(kind) == elf.R_AARCH64_ABS64:
		size = 8
	case o.file.Machine == elf.EM_X86_64 && elf.R_X86_64(kind) == elf.R_X86_64_32, o.file.Machine == elf.EM_AARCH64 && elf.R_AARCH64(kind) == elf.R_AARCH64_ABS32:
		size = 4
	default:
		return fmt.Errorf("one is of the type %d of %s", kind, o.file.Machine)
	}

	if at+size > uint64(len(part)) {
		return nil
	}

	value, err := o.value(info >> 32)
	if err != nil {
		return err
	}

	if size == 4 {
		o.file.ByteOrder.PutUint32(part[at:], uint32(value+addend))
	} else {
		o.file.ByteOrder.PutUint64(part[at:], value+addend)
	}

	return nil
}

// value is that of a symbol, by its number.
func (o *object) value(number uint64) (uint64, error) {
	if known, ok := o.values[number]; ok {
		return known, nil
	}

	if number >= maxSymbols/symbolSize {
		return 0, fmt.Errorf("one is of symbol %d", number)
	}

	entry, err := o.read(o.symbols, number*symbolSize, symbolSize)
	if err != nil {
		return 0, err
	}

	section := elf.SectionIndex(o.file.ByteOrder.Uint16(entry[6:]))
	o.values[number] = o.bases[section] + o.file.ByteOrder.Uint64(entry[8:])

	return o.values[number], nil
}
