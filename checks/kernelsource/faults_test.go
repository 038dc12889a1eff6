package kernelsource

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
)

func TestWithoutFramesNothingIsLookedFor(t *testing.T) {
	t.Parallel()

	require.Equal(t, Lines{}, New("/none", "/none", "/none").Find(time.Minute, []string{"0xffffffffc03f8077"}, nil))
}

// Debug symbols are replaced while they are read, as by apt.
func TestAFileThatIsCutWhileItIsReadIsAnError(t *testing.T) {
	t.Parallel()

	host := debugkernel.Installed(t, kernel)
	notes, err := os.ReadFile(host.BuildID(""))
	require.NoError(t, err)

	o, file, err := open([]string{host.Kernel()}, parseBuildID(notes, binary.NativeEndian))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()

	require.NoError(t, os.Truncate(host.Kernel(), 5000))

	_, err = o.line(o.spans[0].from)
	require.ErrorContains(t, err, "cannot read .debug_")
	require.ErrorContains(t, o.find(map[string][]symbol{"fail": nil}), "cannot read .strtab: ")
}

// A cut file gives the right lines or none, wherever it is cut.
func TestAFileThatIsCutTellsNothingWrong(t *testing.T) {
	t.Parallel()

	for _, name := range debugkernel.Names(t) {
		for file, module := range map[string]string{"vmlinux": "", "leakmod.ko": "leakmod"} {
			t.Run(name+" "+file, func(t *testing.T) {
				t.Parallel()

				want := debugkernel.Lines(t, name)
				whole := debugkernel.Read(t, name, file)
				frames := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(text string) bool {
					f, _ := parseFrame(text)

					return f.module != module
				})

				for size := 0; size < len(whole); size += 61 {
					for _, line := range linesIn(whole[:size], frames) {
						require.Contains(t, want, line.frame)
						require.Equal(t, want[line.frame], line.text)
					}
				}

				require.Len(t, linesIn(whole, frames), len(frames)-strings.Count(strings.Join(frames, " "), "same_size"))
			})
		}
	}
}

type found struct{ frame, text string }

// linesIn are the lines that a file tells of frames, whatever its build.
func linesIn(content []byte, frames []string) (all []found) {
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil
	}

	o, err := newObject(bytes.NewReader(content), (&object{file: file}).buildID())
	if err != nil {
		return nil
	}

	s := &search{Finder: New("", "", ""), until: time.Now().Add(time.Minute), lines: make(map[string]string)}
	s.tree = "/build/linux-6.1/"

	calls, err := s.calls(o, "", "", frames)
	if err != nil {
		return nil
	}

	for _, c := range calls {
		if line, err := o.line(c.address); err == nil && line != "" {
			all = append(all, found{c.text, strings.TrimPrefix(line, s.tree)})
		}
	}

	return all
}

// FuzzObject damages files of symbols at one place.
func FuzzObject(f *testing.F) {
	var whole [][]byte

	for _, name := range []string{"amd64-dwarf4", "arm64-dwarf5"} {
		whole = append(whole, debugkernel.Read(f, name, "vmlinux"), debugkernel.Read(f, name, "leakmod.ko"))
	}

	for i, content := range whole {
		for at := 0; at < len(content); at += len(content) / 40 {
			f.Add(uint8(i), uint32(at), []byte("\xff\xff\xff\xff\x0f"))
		}
	}

	f.Fuzz(func(t *testing.T, which uint8, at uint32, damage []byte) {
		content := slices.Clone(whole[int(which)%len(whole)])
		copy(content[int(at)%len(content):], damage)

		for _, line := range linesIn(content, []string{inKernel, "kmalloc_trace+0x18", "leak_cache+0x8", "cleanup_module+0x10"}) {
			require.NotEmpty(t, line.text)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("\x05\x00\x08\x00\x09\x00\x00\x00\x01\x01\x01\xfb\x0e\x01\x01\x01\x08\x80\x80\x80\x80\x01"), uint64(1))
	f.Add([]byte("\x04\x00\x0b\x00\x00\x00\x01\x01\x01\xfb\x0e\x01a\x00\x00b\x00\x01\x00\x00\x00\x00\x01"), uint64(1))

	f.Fuzz(func(_ *testing.T, content []byte, number uint64) {
		table := &table{offsetSize: 4}
		if table.parse(cursor{rest: content, order: binary.LittleEndian}) != nil {
			return
		}

		table.find(number)

		_, _ = (&object{file: &elf.File{}}).path(table, number)
	})
}
