//go:build debugsymbols

package kernelsource

import (
	"bytes"
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

// sites are places in functions of a file, with the addresses that binutils take.
type sites struct {
	frames []string
	calls  []uint64
}

// padding of functions is no place of a call.
const paddingName = "__pfx_"

// pick chooses functions by chance, always the same.
func pick(t *testing.T, path, module string) (s sites) {
	t.Helper()

	file, err := elf.Open(path)
	require.NoError(t, err)

	defer func() { _ = file.Close() }()

	symbols, err := file.Symbols()
	require.NoError(t, err)

	named := map[string]int{}
	for _, symbol := range symbols {
		named[symbol.Name]++
	}

	chance := rand.New(rand.NewPCG(1, 2))
	chance.Shuffle(len(symbols), func(i, j int) { symbols[i], symbols[j] = symbols[j], symbols[i] })

	for _, symbol := range symbols {
		if elf.ST_TYPE(symbol.Info) != elf.STT_FUNC || symbol.Size < 2 || named[symbol.Name] > 1 || strings.HasPrefix(symbol.Name, paddingName) ||
			module != "" && file.Sections[symbol.Section].Name != ".text" {
			continue
		}

		if len(s.frames) == eachFile {
			return s
		}

		offset := 1 + chance.Uint64N(symbol.Size)
		frame := fmt.Sprintf("%s+%#x/%#x", symbol.Name, offset, symbol.Size)

		if module != "" {
			frame += " [" + module + "]"
		}

		s.frames, s.calls = append(s.frames, frame), append(s.calls, symbol.Value+offset-1)
	}

	require.Fail(t, "there are not as many functions")

	return s
}

// Programs that tell lines.
const (
	binutils = "usr/bin/x86_64-linux-gnu-addr2line"
	elfutils = "usr/bin/eu-addr2line"
)

// linesBy are the lines that a program tells, in the form of this package.
func linesBy(t *testing.T, program, file string, calls []uint64) (lines []string) {
	t.Helper()

	readers, err := kernels.SymbolReaders()
	require.NoError(t, err)

	command := readers.Command(program, "-e", file)
	if strings.HasSuffix(file, ".ko") {
		command.Args = append(command.Args, "-j", ".text")
	}

	var addresses bytes.Buffer
	for _, address := range calls {
		fmt.Fprintf(&addresses, "%#x\n", address)
	}

	command.Stdin = &addresses

	output, err := command.Output()
	require.NoError(t, err)

	for line := range strings.Lines(string(output)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " (discriminator")
		// elfutils tell the column, too.
		parts := strings.Split(line, ":")
		if parts[0] == "??" || parts[1] == "?" || parts[1] == "0" {
			lines = append(lines, "")
		} else {
			lines = append(lines, strings.TrimPrefix(path.Clean(parts[0]), builtIn)+":"+parts[1])
		}
	}

	return lines
}

// agreed counts where two tell the same line of the same file, and where at least the same line: in a function that is made by a macro of another file
// binutils 2.40 pair the line with the name of the file that has the function, in which there may be no such line.
func agreed(a, b []string) (files, lines int) {
	for i := range a {
		_, one, _ := strings.Cut(a[i], ":")
		_, other, _ := strings.Cut(b[i], ":")

		if a[i] == b[i] {
			files++
		}

		if one == other {
			lines++
		}
	}

	return files, lines
}

func TestLinesOfDebiansKernelsAreThoseOfOtherReaders(t *testing.T) {
	for _, version := range kernels.Versions() {
		t.Run(string(version), func(t *testing.T) {
			host, files := debian(t, version)
			finder := finderOf(host)

			for _, module := range []string{"", "nf_conntrack", "xfs"} {
				chosen := pick(t, files[module], module)
				want := linesBy(t, elfutils, files[module], chosen.calls)

				begun := time.Now()
				lines := finder.Find(time.Minute, chosen.frames)
				took := time.Since(begun)

				require.Empty(t, lines.Reason)
				require.Equal(t, want, lines.Of(chosen.frames))

				sameFiles, sameLines := agreed(want, linesBy(t, binutils, files[module], chosen.calls))
				require.Equal(t, eachFile, sameLines)
				require.Greater(t, sameFiles, eachFile*3/4)

				begun = time.Now()
				require.Equal(t, lines, finder.Find(time.Minute, chosen.frames))
				t.Logf("%s: %d places in %s, again in %s; of binutils' files %d are the same",
					filepath.Base(files[module]), eachFile, took, time.Since(begun), sameFiles)
			}
		})
	}
}
