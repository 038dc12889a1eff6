package kernelsource

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
)

// without gives a section of a kernel another name of the same length.
func without(t *testing.T, content []byte, section string) []byte {
	t.Helper()

	at := bytes.LastIndex(content, []byte(section+"\x00"))
	require.Positive(t, at)
	content[at+1] = 'x'

	return content
}

// compressed says of a section that it is compressed.
func compressed(t *testing.T, content []byte, section string) []byte {
	t.Helper()

	file, err := elf.NewFile(bytes.NewReader(content))
	require.NoError(t, err)

	const headerSize, flags = 64, 8

	headers := binary.LittleEndian.Uint64(content[40:])

	for i, s := range file.Sections {
		if s.Name == section {
			content[headers+uint64(i)*headerSize+flags+1] |= byte(elf.SHF_COMPRESSED >> 8)
			// The header of what is compressed: zlib, and how large it is.
			copy(content[s.Offset:], []byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
		}
	}

	return content
}

// refusal is a change to a host with debug symbols, and what a finder says then of a frame of the kernel and one of the module.
type refusal struct {
	change func(*testing.T, debugkernel.Host)
	reason string // HOST stands for the directory, KERNEL and MODULE for the build ids of the files
	lines  []string
}

type pathOf func(debugkernel.Host) string

func kernelFile(h debugkernel.Host) string { return h.Kernel() }
func moduleFile(h debugkernel.Host) string { return h.Module() }
func kernelID(h debugkernel.Host) string   { return h.BuildID("") }
func moduleID(h debugkernel.Host) string   { return h.BuildID("leakmod") }
func release(h debugkernel.Host) string    { return h.ProcPath + "/sys/kernel/osrelease" }
func symbols(h debugkernel.Host) string    { return h.Root + "/usr" }

func remove(path pathOf) func(*testing.T, debugkernel.Host) {
	return func(t *testing.T, h debugkernel.Host) {
		t.Helper()
		require.NoError(t, os.RemoveAll(path(h)))
	}
}

func write(path pathOf, content []byte) func(*testing.T, debugkernel.Host) {
	return func(t *testing.T, h debugkernel.Host) {
		t.Helper()
		debugkernel.Write(t, path(h), content)
	}
}

func pipe(t *testing.T, h debugkernel.Host) {
	t.Helper()
	require.NoError(t, os.Remove(h.Kernel()))
	require.NoError(t, unix.Mkfifo(h.Kernel(), 0o644))
}

const (
	kernelRefused = "cannot use HOST/usr/lib/debug/boot/vmlinux-6.1.0-50-test: "
	moduleRefused = "cannot use HOST/usr/lib/debug/lib/modules/6.1.0-50-test/kernel/drivers/leakmod.ko: "
)

func refusals(t *testing.T) map[string]refusal {
	t.Helper()

	vmlinux := func() []byte { return debugkernel.Read(t, kernel, "vmlinux") }
	onlyKernel, onlyModule := []string{kernelLine, ""}, []string{"", moduleLine}

	return map[string]refusal{
		"no debug symbols at all": {
			remove(symbols), "the debug symbols of the kernel 6.1.0-50-test are not installed: " +
				"apt install linux-image-6.1.0-50-test-dbg, or dnf debuginfo-install kernel-6.1.0-50-test", nil,
		},
		"none of the module":                   {remove(moduleFile), "debug symbols are not installed of leakmod", onlyKernel},
		"those of another build of the kernel": {write(kernelID, note(3, "\x12\x34")), kernelRefused + "it is of another build (KERNEL) than runs (1234)", onlyModule},
		"those of another build of the module": {write(moduleID, note(3, "\x12\x34")), moduleRefused + "it is of another build (MODULE) than runs (1234)", onlyKernel},
		"a kernel that tells no build id": {
			write(kernelID, note(1, "\x12\x34")), "cannot tell which build runs: HOST/sys/kernel/notes has no build id", onlyModule,
		},
		"a kernel without notes": {
			remove(kernelID), "cannot tell which build runs: open HOST/sys/kernel/notes: no such file or directory", onlyModule,
		},
		"a kernel of an odd name":       {write(release, []byte("../../tmp\n")), `cannot tell which kernel runs: its release is "../../tmp"`, nil},
		"no file of symbols":            {write(kernelFile, []byte("\x7fELF or not")), kernelRefused + "it is no whole ELF file: EOF", onlyModule},
		"one that has lost its end":     {write(kernelFile, vmlinux()[:100]), kernelRefused + "it is no whole ELF file: EOF", onlyModule},
		"a pipe in the place of a file": {pipe, kernelRefused + "it is no regular file", onlyModule},
		"a kernel without debug information": {
			write(kernelFile, without(t, vmlinux(), ".debug_aranges")),
			kernelRefused + "it has no .debug_aranges: it has no debug information, or a compiler that tells less than gcc made it", onlyModule,
		},
		"compressed lines": {
			write(kernelFile, compressed(t, vmlinux(), ".debug_line")), kernelRefused + ".debug_line is compressed or left away", onlyModule,
		},
	}
}

func TestWhatCannotBeUsedIsRefusedWithAReason(t *testing.T) {
	t.Parallel()

	for name, test := range refusals(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			host := debugkernel.Installed(t, kernel)
			buildID := func(path string) string {
				notes, err := os.ReadFile(path)
				require.NoError(t, err)

				return parseBuildID(notes, binary.NativeEndian)
			}
			want := strings.NewReplacer("HOST", host.Root, "KERNEL", buildID(kernelID(host)), "MODULE", buildID(moduleID(host))).Replace(test.reason)

			test.change(t, host)

			lines := finderOf(host).Find(time.Minute, []string{inKernel, inModule})
			require.Equal(t, want, lines.Reason)

			got := lines.Of([]string{inKernel, inModule})
			for i := range got {
				// Without the kernel nothing tells which part of a path is the tree's.
				got[i] = strings.TrimPrefix(got[i], "/build/linux-6.1/")
			}

			require.Equal(t, test.lines, got)
		})
	}
}

func TestAFileThatOthersCanWriteIsNotForRoot(t *testing.T) {
	t.Parallel()

	host := debugkernel.Installed(t, kernel)
	require.NoError(t, os.Chmod(host.Kernel(), 0o666))

	lines := finderOf(host).Find(time.Minute, []string{inKernel})
	if os.Geteuid() != 0 {
		require.Equal(t, []string{kernelLine}, lines.Of([]string{inKernel}))

		return
	}

	const refused = ": others than root can write it; run chown root and chmod go-w"

	require.Equal(t, "cannot use "+host.Kernel()+refused, lines.Reason)

	require.NoError(t, os.Chmod(host.Kernel(), 0o644))
	require.NoError(t, os.Chown(host.Kernel(), 12345, 0))
	require.Equal(t, "cannot use "+host.Kernel()+refused, finderOf(host).Find(time.Minute, []string{inKernel}).Reason)
}
