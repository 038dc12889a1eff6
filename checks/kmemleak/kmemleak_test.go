package kmemleak

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
	"zabbix-agent2-plugin-hosting/checks/procfile"
	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
)

// hostWith is a sysfs whose kmemleak holds a text.
func hostWith(t *testing.T, text []byte) string {
	t.Helper()

	sys := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(sys, "kernel/debug"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(sys, "kernel/debug/kmemleak"), text, 0o644))

	return sys
}

// newReader reads a sysfs on a host without debug symbols.
func newReader(sys string) *Reader {
	return NewReader("/proc", sys, kernelsource.New("/none", "/proc", "/sys"))
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()

	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)

	return text
}

func TestLeaksAreGroupedByTheirCodePath(t *testing.T) {
	t.Parallel()

	r, err := newReader(hostWith(t, fixture(t, "leaking-module.txt"))).Read(2)
	require.NoError(t, err)
	require.True(t, r.Available)
	require.Equal(t, uint64(34), r.Objects)
	require.Empty(t, r.Problems)
	require.False(t, r.Cut)
	require.Len(t, r.Groups, 2)
	require.Positive(t, r.GroupsOmitted)

	all, err := newReader(hostWith(t, fixture(t, "leaking-module.txt"))).Read(MaxGroups)
	require.NoError(t, err)

	var objects, size uint64

	named := map[string]bool{}

	for _, g := range all.Groups {
		objects += g.Objects
		size += g.Bytes

		for _, p := range g.Processes {
			named[p.Name] = true
		}
	}

	require.Equal(t, all.Objects, objects)
	require.Equal(t, all.Bytes, size)
	require.Subset(t, named, map[string]bool{"insmod": true, "httpd": true, "php-fpm8.2": true, "kworker/1:1": true})
}

func TestAnUnloadedModuleLeavesAddresses(t *testing.T) {
	t.Parallel()

	r, err := newReader(hostWith(t, fixture(t, "after-rmmod.txt"))).Read(1)
	require.NoError(t, err)
	require.Equal(t, uint64(11), r.Objects)
	require.Regexp(t, `^0xffffffffc01f`, r.Groups[0].Stack[1])
}

func TestStacksHaveTheirLinesInTheSource(t *testing.T) {
	t.Parallel()

	text := func(frames string) []byte {
		return []byte("unreferenced object 0x1 (size 64):\n  comm \"a\", pid 1, jiffies 5\n  backtrace:\n" + frames)
	}
	inModule := "    [<000000002728fe5f>] kmalloc_trace+0x10/0x30\n    [<00000000594513a1>] leak_cache+0x8/0x29 [leakmod]\n    [<00000000594513a2>] 0xffffffffc03f8077\n"
	installed := debugkernel.Installed(t, "amd64-dwarf5")
	bare := debugkernel.Bare(t, "amd64-dwarf5")

	for name, test := range map[string]struct {
		host   debugkernel.Host
		frames string
		source []string
		reason string
	}{
		"where debug symbols are installed": {installed, inModule, []string{"include/linux/slab.h:6", "drivers/leakmod.c:7", ""}, ""},
		"where none are": {
			bare, inModule, nil,
			"the debug symbols of the kernel 6.1.0-50-test are not installed: apt install linux-image-6.1.0-50-test-dbg, or dnf debuginfo-install kernel-6.1.0-50-test",
		},
		"where no symbols would help": {bare, "    [<00000000594513a2>] 0xffffffffc03f8077\n", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			sys := hostWith(t, text(test.frames))
			report, err := NewReader(test.host.ProcPath, sys, kernelsource.New(test.host.Root, test.host.ProcPath, test.host.SysPath)).Read(1)
			require.NoError(t, err)
			require.Len(t, report.Groups, 1)
			require.Equal(t, test.source, report.Groups[0].Source)
			require.Equal(t, test.reason, report.SourceReason)
		})
	}
}

const trace = "    [<000000002728fe5f>] kmalloc_trace+0x21/0x90\n    [<00000000594513a1>] sock_alloc_inode+0x12/0x40\n"

func TestEveryKernelsFormatIsUnderstood(t *testing.T) {
	t.Parallel()

	head := "unreferenced object 0xff42abc2013076a0 (size 64):\n  comm \"httpd\", pid 76, jiffies 4294673719"
	dump := "  hex dump (first 32 bytes):\n    80 85 0a 40 f0 97 a2 ff c0 85 0a 40 f0 97 a2 ff  ...@.......@....\n"
	stack := []string{"kmalloc_trace+0x21/0x90", "sock_alloc_inode+0x12/0x40"}
	plain := object{size: 64, comm: "httpd", pid: 76, jiffies: 4294673719, stack: stack}
	aged := plain
	aged.age, aged.ageKnown = 12340*time.Millisecond, true

	for name, test := range map[string]struct {
		text string
		want object
	}{
		"without an age":                   {head + "\n" + dump + "  backtrace:\n" + trace, plain},
		"with an age":                      {head + " (age 12.340s)\n" + dump + "  backtrace:\n" + trace, aged},
		"with a checksum of the trace":     {head + "\n" + dump + "  backtrace (crc 7f2d4a0e):\n" + trace, plain},
		"without addresses":                {head + "\n  backtrace (crc 0):\n    kmalloc_trace+0x21/0x90\n    sock_alloc_inode+0x12/0x40\n", plain},
		"without a hex dump or an end":     {head + "\n  backtrace:\n" + strings.TrimSuffix(trace, "\n"), plain},
		"a name with quotes and a newline": {strings.Replace(head, "httpd", "a\", pid 1\x01", 1) + "\n  backtrace:\n" + trace, object{64, "a\", pid 1?", 76, 4294673719, 0, false, stack}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var (
				problems procfile.Problems
				got      []object
			)

			require.NoError(t, parse(strings.NewReader(test.text), &problems, func(o *object) { got = append(got, *o) }))
			require.Equal(t, []object{test.want}, got)
			require.Empty(t, problems.List())
		})
	}
}

func TestWhatIsOddIsAProblemAndNoFailure(t *testing.T) {
	t.Parallel()

	r := &Reader{path: "kmemleak"}
	text := "unreferenced object 0x1 (size many):\n  comm \"a\"\n" + strings.Repeat("x", 3*maxLine) + "\n" +
		"unreferenced object 0x1 (size 8):\n  comm a\n  backtrace:\n" + trace

	report, err := r.read(strings.NewReader(text), 10, readLimit)
	require.NoError(t, err)
	require.Equal(t, uint64(1), report.Objects)
	require.Len(t, report.Problems, 3)
}

func TestALongFileIsReadInPartAndSaysSo(t *testing.T) {
	t.Parallel()

	one := "unreferenced object 0x1 (size 8):\n  comm \"a\", pid 1, jiffies 1\n  backtrace:\n" + trace
	report, err := (&Reader{}).read(strings.NewReader(strings.Repeat(one, 10)), 10, int64(len(one)*3+40))
	require.NoError(t, err)
	require.True(t, report.Cut)
	require.Equal(t, uint64(3), report.Objects, "the one that was cut does not count")
	require.Len(t, report.Groups, 1)
}

func TestAKernelWithoutKmemleakIsNoError(t *testing.T) {
	t.Parallel()

	sys := t.TempDir()
	r, err := newReader(sys).Read(10)
	require.NoError(t, err)
	require.Equal(t, &Report{
		Schema: 1, Groups: []Group{},
		Reason: "debugfs is not mounted; run mount -t debugfs debugfs /sys/kernel/debug, where the kernel has CONFIG_DEBUG_KMEMLEAK",
	}, r)

	require.NoError(t, os.MkdirAll(filepath.Join(sys, "kernel/debug/tracing"), 0o755))
	r, err = newReader(sys).Read(10)
	require.NoError(t, err)
	require.Equal(t, "this kernel is built without CONFIG_DEBUG_KMEMLEAK; hosting.slab.get tells which caches grow", r.Reason)
}

func TestAListThatCannotBeOpenedSaysWhy(t *testing.T) {
	t.Parallel()

	report, err := newReader("/none").closed(&fs.PathError{Op: "open", Path: "/x", Err: syscall.EBUSY})
	require.NoError(t, err)
	require.False(t, report.Available)
	require.Contains(t, report.Reason, "switched off")

	_, err = newReader("/none").closed(&fs.PathError{Op: "open", Path: "/x", Err: syscall.EIO})
	require.EqualError(t, err, "cannot read kmemleak: open /x: input/output error; debugfs is for root")

	_, err = (&Reader{path: "/x"}).read(iotest.ErrReader(syscall.EIO), 1, readLimit)
	require.EqualError(t, err, "cannot read /x: input/output error")
}

func TestWrongCallsAndMissingRightsAreErrors(t *testing.T) {
	t.Parallel()

	_, err := newReader("/sys").Read(0)
	require.EqualError(t, err, "cannot list 0 groups: ask for 1 to 1000")

	sys := hostWith(t, nil)
	require.NoError(t, os.Chmod(filepath.Join(sys, "kernel/debug/kmemleak"), 0))

	if os.Getuid() == 0 {
		// The folders of a test are closed to others.
		for dir := sys; dir != os.TempDir(); dir = filepath.Dir(dir) {
			require.NoError(t, os.Chmod(dir, 0o755))
		}

		apart.AsNobody(t, func() { _, err = newReader(sys).Read(1) })
	} else {
		_, err = newReader(sys).Read(1)
	}

	require.ErrorIs(t, err, fs.ErrPermission)
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"leaking-module.txt", "after-rmmod.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}

		f.Add(text)
	}

	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := (&Reader{}).read(io.Reader(bytes.NewReader(text)), MaxGroups, readLimit)
		require.NoError(t, err)

		var objects uint64
		for _, g := range r.Groups {
			objects += g.Objects
			require.LessOrEqual(t, len(g.Stack), maxFrames)
		}

		if r.GroupsOmitted == 0 {
			require.Equal(t, r.Objects, objects)
		}
	})
}
