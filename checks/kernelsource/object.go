package kernelsource

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Nothing that is read as a whole is larger: in Debian's kernels the symbols have 4 MiB and their names 4, and the lines of one unit 1.
const (
	maxSymbols = 64 << 20
	maxPart    = 8 << 20
	// moduleBase is where the first section of a module is taken to lie, and moduleAlign what the others are aligned to.
	moduleBase  = 1 << 20
	moduleAlign = 1 << 12
)

// object is an ELF file with debug symbols, of the kernel or of a module. Only what is asked for is read of it: a kernel's has 600 MB.
type object struct {
	file *elf.File
	// bases are where the sections with code lie, of a module one behind the other: in its file each begins at 0.
	bases   map[elf.SectionIndex]uint64
	symbols *elf.Section
	// values are those of the symbols that relocations have asked for.
	values map[uint64]uint64
	spans  []span
	// table is the one that was used last, of the unit at tableOf.
	table   *table
	tableOf uint64
}

// openFile opens a regular file of root's, which nobody else can have written where this is root.
func openFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}

	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("cannot use %s: it is no regular file", path)
	}

	if err == nil && os.Geteuid() == 0 {
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || owner.Uid != 0 || info.Mode().Perm()&0o022 != 0 {
			err = fmt.Errorf("cannot use %s: others than root can write it; run chown root and chmod go-w", path)
		}
	}

	if err != nil {
		_ = file.Close()

		return nil, err
	}

	return file, nil
}

// newObject reads the headers of a file of the build with an id.
func newObject(from io.ReaderAt, buildID string) (*object, error) {
	file, err := elf.NewFile(from)
	if err != nil {
		return nil, fmt.Errorf("it is no whole ELF file: %w", err)
	}

	o := &object{file: file, bases: make(map[elf.SectionIndex]uint64), values: make(map[uint64]uint64)}
	if file.Class != elf.ELFCLASS64 {
		return nil, errors.New("it is not of a 64-bit kernel")
	}

	if id := o.buildID(); id != buildID {
		return nil, fmt.Errorf("it is of another build (%s) than runs (%s)", id, buildID)
	}

	next := uint64(moduleBase)

	for i, s := range file.Sections {
		if s.Flags&elf.SHF_EXECINSTR != 0 {
			o.bases[elf.SectionIndex(i)] = 0
			if o.relocatable() {
				o.bases[elf.SectionIndex(i)] = next
				next += (s.Size + 2*moduleAlign) &^ (moduleAlign - 1)
			}
		}

		if s.Type == elf.SHT_SYMTAB {
			o.symbols = s
		}
	}

	if o.symbols == nil {
		return nil, errors.New("it has no symbols")
	}

	return o, o.readSpans()
}

func (o *object) relocatable() bool { return o.file.Type == elf.ET_REL }

func (o *object) buildID() string {
	for _, s := range o.file.Sections {
		if s.Type != elf.SHT_NOTE {
			continue
		}

		notes, err := o.read(s, 0, min(s.FileSize, maxNotes))
		if err != nil {
			continue
		}

		if id := parseBuildID(notes, o.file.ByteOrder); id != "" {
			return id
		}
	}

	return ""
}

// read reads a part of a section as it is in the file.
func (o *object) read(s *elf.Section, at, n uint64) ([]byte, error) {
	if s.Type == elf.SHT_NOBITS || s.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, fmt.Errorf("%s is compressed or left away", s.Name)
	}

	if at > s.FileSize || n > s.FileSize-at {
		return nil, fmt.Errorf("%s ends before %#x", s.Name, at)
	}

	part := make([]byte, n)
	// debug/elf checks that a section lies in what an offset can be.
	if _, err := s.ReadAt(part, int64(at)); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", s.Name, err)
	}

	return part, nil
}

// whole reads a section that is not larger than a limit.
func (o *object) whole(s *elf.Section, limit uint64) ([]byte, error) {
	if s.FileSize > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", s.Name, s.FileSize, limit)
	}

	return o.read(s, 0, s.FileSize)
}

// debug is a section of DWARF.
func (o *object) debug(name string) (*elf.Section, error) {
	if s := o.file.Section(name); s != nil {
		return s, nil
	}

	return nil, fmt.Errorf("it has no %s", name)
}
