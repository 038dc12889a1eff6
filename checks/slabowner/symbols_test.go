package slabowner

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)

	return text
}

func TestAddressesAreNamedByTheFunctionThatTheyAreIn(t *testing.T) {
	t.Parallel()

	kernel := string(fixture(t, "kallsyms-6.18.txt"))
	module := "ffffffffc0a10000 t leak_cache\t[leakmod]\nffffffffc0a10100 d leak_data\t[leakmod]\n"

	for name, test := range map[string]struct {
		text string
		want symbols
	}{
		"the begin of a function":                    {kernel, symbols{0xffffffff816c8980: "pipe_resize_ring+0x0"}},
		"the middle, and twice in one":               {kernel, symbols{0xffffffff816c8981: "pipe_resize_ring+0x1", 0xffffffff816c89b0: "pipe_resize_ring+0x30"}},
		"in functions of which one follows another":  {kernel, symbols{0xffffffff81e31302: "sk_prot_alloc+0x32", 0xffffffff81e338ac: "sk_alloc+0x2c"}},
		"a module behind the kernel":                 {kernel + module, symbols{0xffffffffc0a10024: "leak_cache+0x24 [leakmod]"}},
		"a module before the kernel":                 {module + kernel, symbols{0xffffffffc0a10024: "leak_cache+0x24 [leakmod]", 0xffffffff816c8981: "pipe_resize_ring+0x1"}},
		"data is no function":                        {module, symbols{0xffffffffc0a10124: "leak_cache+0x124 [leakmod]"}},
		"far behind the last function":               {kernel + module, symbols{0xffffffffc0b20000: ""}},
		"before the first function":                  {kernel, symbols{0xffffffff80000000: ""}},
		"lines that are none of kallsyms":            {"\nffffffff81 T\nxyz T a\nffffffff816c8980  a\n" + kernel, symbols{0xffffffff816c8981: "pipe_resize_ring+0x1"}},
		"two names of one function, the later stays": {"ffffffff81000000 t one\nffffffff81000000 T two\n", symbols{0xffffffff81000004: "two+0x4"}},
		"nothing is asked for":                       {kernel, symbols{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			addresses, want := []uint64{}, symbols{}

			for address, name := range test.want {
				addresses = append(addresses, address, address)

				if name != "" {
					want[address] = name
				}
			}

			got, err := parseSymbols(strings.NewReader(test.text), addresses)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestSymbolsThatCannotBeReadAreOneSentence(t *testing.T) {
	t.Parallel()

	_, err := parseSymbols(bytes.NewReader(fixture(t, "kallsyms-hidden.txt")), []uint64{0xffffffff816c8981})
	require.EqualError(t, err, "cannot name the kernel's functions: their addresses are hidden; grant CAP_SYSLOG, or run as root")

	_, err = parseSymbols(strings.NewReader(""), []uint64{0xffffffff816c8981})
	require.ErrorIs(t, err, errNoSymbols)

	_, err = parseSymbols(iotest.ErrReader(errors.New("input/output error")), nil)
	require.EqualError(t, err, "cannot name the kernel's functions: input/output error")

	_, err = readSymbols(t.TempDir(), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "it needs CONFIG_KALLSYMS")
}

// The helper's unit hides kallsyms: the first release named no function.
func TestSymbolsThatASandboxHidesAreThoseOfTheFirstProcess(t *testing.T) {
	t.Parallel()

	const address = 0xffffffff816c8981

	whole := fixture(t, "kallsyms-6.18.txt")

	for name, test := range map[string]struct {
		own, first []byte
		want       error
	}{
		"its own":                          {whole, nil, nil},
		"an empty file in their place":     {[]byte{}, whole, nil},
		"hidden addresses":                 {fixture(t, "kallsyms-hidden.txt"), whole, nil},
		"no file":                          {nil, whole, nil},
		"an empty file and no other":       {[]byte{}, nil, errNoSymbols},
		"hidden addresses here and there":  {fixture(t, "kallsyms-hidden.txt"), fixture(t, "kallsyms-hidden.txt"), errNoAddresses},
		"an empty file, and another there": {[]byte{}, []byte{}, errNoSymbols},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			proc := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(proc, "1/root/proc"), 0o700))

			for path, content := range map[string][]byte{"kallsyms": test.own, "1/root/proc/kallsyms": test.first} {
				if content != nil {
					require.NoError(t, os.WriteFile(filepath.Join(proc, path), content, 0o600))
				}
			}

			names, err := readSymbols(proc, []uint64{address})
			require.ErrorIs(t, err, test.want)

			if test.want == nil {
				require.Equal(t, symbols{address: "pipe_resize_ring+0x1"}, names)
			}
		})
	}
}

func TestThisKernelsSymbolsNameAFunctionOfEachKind(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	text, err := os.ReadFile("/proc/kallsyms")
	require.NoError(t, err)

	var known []symbol

	for line := range bytes.Lines(text) {
		if s, ok := parseSymbol(bytes.TrimSpace(line)); ok && (string(s.name) == "sk_alloc" || string(s.name) == "pipe_fcntl") {
			known = append(known, s)
		}
	}

	require.Len(t, known, 2)

	names, err := readSymbols("/proc", []uint64{known[0].address + 4, known[1].address + 8})
	require.NoError(t, err)
	require.Equal(t, symbols{
		known[0].address + 4: string(known[0].name) + "+0x4",
		known[1].address + 8: string(known[1].name) + "+0x8",
	}, names)
}

func TestAStackIsShownWithoutTheTracingsOwnFrames(t *testing.T) {
	t.Parallel()

	names := symbols{1: "bpf_prog_1_slab_alloc+0x1", 2: "bpf_trace_run5+0x2", 3: "__traceiter_kmem_cache_alloc+0x3", 4: "kmem_cache_alloc_noprof+0x4", 5: "sk_alloc+0x5"}

	for name, test := range map[string]struct {
		names symbols
		stack []uint64
		want  []string
	}{
		"all of them":                       {names, []uint64{1, 2, 3, 4, 5}, []string{"kmem_cache_alloc_noprof+0x4", "sk_alloc+0x5"}},
		"a program that has no name":        {names, []uint64{99, 2, 4, 5}, []string{"kmem_cache_alloc_noprof+0x4", "sk_alloc+0x5"}},
		"none of them":                      {names, []uint64{4, 5}, []string{"kmem_cache_alloc_noprof+0x4", "sk_alloc+0x5"}},
		"a program further out is no frame": {names, []uint64{4, 5, 5, 5, 5, 2}, []string{"kmem_cache_alloc_noprof+0x4", "sk_alloc+0x5", "sk_alloc+0x5", "sk_alloc+0x5", "sk_alloc+0x5", "bpf_trace_run5+0x2"}},
		"hidden addresses stay":             {nil, []uint64{1, 4}, []string{"0x1", "0x4"}},
		"no stack":                          {names, nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, test.names.path(test.stack))
		})
	}
}

func FuzzParseSymbols(f *testing.F) {
	for _, name := range []string{"kallsyms-6.18.txt", "kallsyms-hidden.txt"} {
		f.Add(fixture(f, name), uint64(0xffffffff816c8981))
	}

	f.Fuzz(func(t *testing.T, text []byte, address uint64) {
		names, err := parseSymbols(io.Reader(bytes.NewReader(text)), []uint64{address, address + 1<<12, 0})
		if err != nil {
			return
		}

		for at, name := range names {
			require.Contains(t, []uint64{address, address + 1<<12, 0}, at)
			require.Contains(t, name, "+0x")
		}
	})
}
