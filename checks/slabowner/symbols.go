package slabowner

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// errNoAddresses means that the kernel shows its symbols without their addresses (kptr_restrict of proc_sys_kernel(5)).
var errNoAddresses = errors.New("cannot name the kernel's functions: their addresses are hidden; grant CAP_SYSLOG, or run as root")

// longestFunction is more than any function of the kernel has: what is further away is code without a name, such as a compiled program of BPF.
const longestFunction = 1 << 20

// symbols names addresses of the kernel's code.
type symbols map[uint64]string

// readSymbols finds the functions of these addresses in kallsyms (proc_kallsyms(5)), which is read once and not kept: it has 100,000 lines and more.
func readSymbols(procPath string, addresses []uint64) (symbols, error) {
	file, err := os.Open(filepath.Join(procPath, "kallsyms"))
	if err != nil {
		return nil, fmt.Errorf("cannot name the kernel's functions: %w", err)
	}
	defer func() { _ = file.Close() }()

	return parseSymbols(file, addresses)
}

// parseSymbols looks for the nearest function at or before each address. The lines are in no order: modules have their own.
func parseSymbols(from io.Reader, addresses []uint64) (symbols, error) {
	wanted := slices.Compact(slices.Sorted(slices.Values(addresses)))
	nearest := make([]symbol, len(wanted))
	shown := false

	lines := bufio.NewScanner(from)
	for lines.Scan() {
		s, code, ok := parseSymbol(lines.Bytes())
		if !ok {
			continue
		}

		shown = shown || s.address != 0
		// It may be the nearest of the first wanted address that is not before it, and of those behind until another is nearer.
		at, _ := slices.BinarySearch(wanted, s.address)
		if code && at < len(wanted) && s.address >= nearest[at].address {
			s.name = string(append([]byte(nil), s.raw...))
			nearest[at] = s
		}
	}

	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cannot name the kernel's functions: %w", err)
	}

	if !shown {
		return nil, errNoAddresses
	}

	named := make(symbols, len(wanted))

	var last symbol

	for i, address := range wanted {
		if nearest[i].name != "" && nearest[i].address >= last.address {
			last = nearest[i]
		}

		if last.name != "" && address-last.address < longestFunction {
			named[address] = fmt.Sprintf("%s+%#x", last.name, address-last.address)
		}
	}

	return named, nil
}

type symbol struct {
	address uint64
	raw     []byte
	name    string
}

// parseSymbol reads "ffffffff81000000 T _stext" or "ffffffffc0000000 t leak_cache	[leakmod]".
func parseSymbol(line []byte) (s symbol, code, ok bool) {
	digits, rest, found := bytes.Cut(line, []byte(" "))
	if !found || len(rest) < 3 || rest[1] != ' ' {
		return s, false, false
	}

	address, err := strconv.ParseUint(string(digits), 16, 64)
	if err != nil {
		return s, false, false
	}

	s.address, s.raw = address, bytes.ReplaceAll(rest[2:], []byte("\t"), []byte(" "))

	return s, bytes.IndexByte([]byte("tTwW"), rest[0]) >= 0, true
}

// name is the function with the offset in it, or the bare address.
func (s symbols) name(address uint64) string {
	if name, ok := s[address]; ok {
		return name
	}

	return fmt.Sprintf("%#x", address)
}
