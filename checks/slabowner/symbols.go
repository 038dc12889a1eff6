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
	"strings"
)

// errNoAddresses means that the kernel shows its symbols without their addresses (kptr_restrict of proc_sys_kernel(5)).
var errNoAddresses = errors.New("cannot name the kernel's functions: their addresses are hidden; grant CAP_SYSLOG, or run as root")

// errNoSymbols means that something is in the place of kallsyms.
var errNoSymbols = errors.New("cannot name the kernel's functions: kallsyms is empty here; grant CAP_SYS_PTRACE where a sandbox hides it, as ProtectKernelTunables= does")

// longestFunction is more than any function of the kernel has: what is further away is code without a name, such as a compiled program of BPF.
const longestFunction = 1 << 20

// symbols names addresses of the kernel's code.
type symbols map[uint64]string

// symbol is one line of kallsyms. Its name is part of the line, with the module behind a tab.
type symbol struct {
	address uint64
	name    []byte
	code    bool
}

// function is where the code of a name begins. Its module is as the kernel writes it, " [leakmod]", or nothing.
type function struct {
	address      uint64
	name, module string
}

// readSymbols finds the functions of these addresses in kallsyms (proc_kallsyms(5)), which is read once and not kept: it has 100,000 lines and more.
// ProtectKernelTunables= of systemd.exec(5) puts an empty file in its place; who may look into the first process finds the real one there.
func readSymbols(procPath string, addresses []uint64) (symbols, error) {
	found, err := readKallsyms(filepath.Join(procPath, "kallsyms"), addresses)
	if err == nil {
		return found, nil
	}

	if theirs, theirErr := readKallsyms(filepath.Join(procPath, "1/root/proc/kallsyms"), addresses); theirErr == nil {
		return theirs, nil
	}

	return nil, err
}

func readKallsyms(path string, addresses []uint64) (symbols, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot name the kernel's functions: %w; it needs CONFIG_KALLSYMS", err)
	}
	defer func() { _ = file.Close() }()

	return parseSymbols(file, addresses)
}

// parseSymbols looks for the nearest function at or before each address. The lines are in no order: modules have their own.
func parseSymbols(from io.Reader, addresses []uint64) (symbols, error) {
	wanted := slices.Compact(slices.Sorted(slices.Values(addresses)))
	nearest := make([]function, len(wanted))
	some, shown := false, false

	lines := bufio.NewScanner(from)
	for lines.Scan() {
		s, ok := parseSymbol(lines.Bytes())
		if !ok {
			continue
		}

		some, shown = true, shown || s.address != 0
		// It may be the nearest of the first wanted address that is not before it, and of those behind until another is nearer.
		at, _ := slices.BinarySearch(wanted, s.address)
		if s.code && at < len(wanted) && s.address >= nearest[at].address {
			nearest[at] = s.function()
		}
	}

	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cannot name the kernel's functions: %w", err)
	}

	switch {
	case !some:
		return nil, errNoSymbols
	case !shown:
		return nil, errNoAddresses
	}

	return named(wanted, nearest), nil
}

// named gives sorted addresses the functions that begin between the one before and them, or else the one before's.
func named(wanted []uint64, nearest []function) symbols {
	all := make(symbols, len(wanted))

	var last function

	for i, address := range wanted {
		if nearest[i].name != "" {
			last = nearest[i]
		}

		if last.name != "" && address-last.address < longestFunction {
			all[address] = fmt.Sprintf("%s+%#x%s", last.name, address-last.address, last.module)
		}
	}

	return all
}

// parseSymbol reads "ffffffff81000000 T _stext" or "ffffffffc0000000 t leak_cache	[leakmod]".
func parseSymbol(line []byte) (s symbol, ok bool) {
	digits, rest, found := bytes.Cut(line, []byte(" "))
	if !found || len(rest) < 3 || rest[1] != ' ' {
		return s, false
	}

	address, err := strconv.ParseUint(string(digits), 16, 64)
	if err != nil {
		return s, false
	}

	return symbol{address, rest[2:], bytes.IndexByte([]byte("tTwW"), rest[0]) >= 0}, true
}

func (s symbol) function() function {
	name, module, ok := strings.Cut(string(s.name), "\t")
	if ok {
		module = " " + module
	}

	return function{s.address, name, module}
}

// functionOf is the name of a frame without the offset.
func functionOf(frame string) string {
	name, rest, _ := strings.Cut(frame, "+0x")
	if _, module, ok := strings.Cut(rest, " "); ok {
		return name + " " + module
	}

	return name
}

// name is the function with the offset in it, or the bare address.
func (s symbols) name(address uint64) string {
	if name, ok := s[address]; ok {
		return name
	}

	return fmt.Sprintf("%#x", address)
}

// path names a stack, innermost first, without what the tracing itself has put on top of it.
func (s symbols) path(stack []uint64) []string {
	all := make([]string, len(stack))
	for i, address := range stack {
		all[i] = s.name(address)
	}

	for i := min(tracingFrames, len(all)) - 1; i >= 0; i-- {
		if isTracing(all[i]) {
			return all[i+1:]
		}
	}

	return all
}

// tracingFrames is how many of the innermost frames may be the tracing's own. The innermost is the program's, which has no name any more.
const tracingFrames = 5

func isTracing(name string) bool {
	for _, prefix := range []string{"bpf_", "__bpf_", "__traceiter_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}

	return false
}
