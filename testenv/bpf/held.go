package bpf

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
)

// Held is what this process has in the kernel.
type Held struct {
	Maps, Links int
	Programs    []ebpf.ProgramID
	// Bytes are what its maps and programs take.
	Bytes uint64
}

// Holds reads /proc/self/fdinfo, where the kernel tells of each descriptor.
func Holds(tb testing.TB) (h Held) {
	tb.Helper()

	files, err := filepath.Glob("/proc/self/fdinfo/*")
	require.NoError(tb, err)

	for _, file := range files {
		// The one of the directory itself is closed already.
		text, _ := os.ReadFile(file)
		require.NoError(tb, h.add(string(text)))
	}

	return h
}

func (h *Held) add(text string) error {
	numbers := make(map[string]uint64)

	for line := range strings.Lines(text) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t"); name {
		case "link_id", "map_id", "prog_id", "memlock":
			number, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return err
			}

			numbers[name] = number
		}
	}

	h.Bytes += numbers["memlock"]

	// A link tells its program as well.
	if _, link := numbers["link_id"]; link {
		h.Links++
	} else if id, program := numbers["prog_id"]; program {
		h.Programs = append(h.Programs, ebpf.ProgramID(id))
	} else if _, isMap := numbers["map_id"]; isMap {
		h.Maps++
	}

	return nil
}
