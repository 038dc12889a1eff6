package kernelsource

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// maxNotes is more than the notes of any kernel have.
const maxNotes = 64 << 10

// parseBuildID finds the build id in ELF notes (elf(5)); it is empty where there is none.
func parseBuildID(notes []byte, order binary.ByteOrder) string {
	const gnuBuildID = 3

	c := cursor{rest: notes, order: order}
	aligned := func(n uint64) uint64 { return (n + 3) &^ 3 }

	for len(c.rest) > 0 {
		nameSize, size, kind := c.number(4), c.number(4), c.number(4)
		name, id := c.bytes(aligned(nameSize)), c.bytes(aligned(size))

		if c.short {
			return ""
		}

		if kind == gnuBuildID && size > 0 && nameSize == 4 && string(name) == "GNU\x00" {
			return fmt.Sprintf("%x", id[:size])
		}
	}

	return ""
}

// runningBuildID is that of the kernel that runs, or of a module that is loaded.
func runningBuildID(sysPath, module string) (string, error) {
	path := filepath.Join(sysPath, "kernel/notes")
	if module != "" {
		path = filepath.Join(sysPath, "module", module, "notes/.note.gnu.build-id")
	}

	notes, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot tell which build runs: %w", err)
	}

	id := parseBuildID(notes[:min(len(notes), maxNotes)], binary.NativeEndian)
	if id == "" {
		return "", fmt.Errorf("cannot tell which build runs: %s has no build id", path)
	}

	return id, nil
}
