package kernelsource

import (
	"bytes"
	"debug/elf"
)

const (
	symbolSize = 24
	// symbolsAtOnce are 96 KiB.
	symbolsAtOnce = 4 << 10
)

// symbol is a function in an object.
type symbol struct{ address, size uint64 }

// find looks for functions by their names, in one reading of all symbols. A name may be that of several functions.
func (o *object) find(wanted map[string][]symbol) error {
	if int(o.symbols.Link) >= len(o.file.Sections) {
		return errNoNames
	}

	names, err := o.whole(o.file.Sections[o.symbols.Link], maxSymbols)
	if err != nil {
		return err
	}

	total := min(o.symbols.FileSize, maxSymbols) / symbolSize

	for first := uint64(0); first < total; first += symbolsAtOnce {
		part, err := o.read(o.symbols, first*symbolSize, min(symbolsAtOnce, total-first)*symbolSize)
		if err != nil {
			return err
		}

		for c := (cursor{rest: part, order: o.file.ByteOrder}); len(c.rest) > 0; {
			o.see(&c, names, wanted)
		}
	}

	return nil
}

// see reads one symbol (Elf64_Sym).
func (o *object) see(c *cursor, names []byte, wanted map[string][]symbol) {
	name, info, _, section := c.number(4), c.number(1), c.number(1), elf.SectionIndex(c.number(2))
	value, size := c.number(8), c.number(8)
	base, isCode := o.bases[section]
	kind := elf.ST_TYPE(uint8(info))

	// Functions in assembler may have no type.
	if !isCode || name >= uint64(len(names)) || (kind != elf.STT_FUNC && kind != elf.STT_NOTYPE) {
		return
	}

	text := names[name:]
	text = text[:max(bytes.IndexByte(text, 0), 0)]

	if known, ok := wanted[string(text)]; ok && !contains(known, base+value) {
		wanted[string(text)] = append(known, symbol{base + value, size})
	}
}

func contains(all []symbol, address uint64) bool {
	for _, s := range all {
		if s.address == address {
			return true
		}
	}

	return false
}

// padding is more than what stands behind a function up to the next, which the kernel counts as a part of it (kallsyms_lookup_size_offset).
const padding = 64

// choose gives the address of the call that a frame is behind. Of several functions of the same name it must be the only one that the size fits:
// no answer is better than a wrong one.
func (f frame) choose(all []symbol) (call uint64, ok bool) {
	for _, s := range all {
		tooFar := s.size != 0 && f.offset > s.size
		other := f.size != 0 && s.size != 0 && (s.size > f.size || len(all) > 1 && f.size-s.size >= padding)

		switch {
		case tooFar, other:
			continue
		case ok:
			return 0, false
		}

		call, ok = s.address+f.offset-1, true
	}

	return call, ok && (len(all) == 1 || f.size != 0)
}
