// Package debugkernel makes hosts that run a small kernel with a module, whose debug symbols are installed as distributions do.
package debugkernel

import (
	"bytes"
	"debug/elf"
	"embed"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed testdata/*/vmlinux testdata/*/leakmod.ko testdata/*/lines.txt
var files embed.FS

// Release is what the kernels call themselves.
const Release = "6.1.0-50-test"

// Names are the kernels that there are: "arm64-dwarf5" and others.
func Names(tb testing.TB) (names []string) {
	tb.Helper()

	entries, err := files.ReadDir("testdata")
	if err != nil {
		tb.Fatal(err)
	}

	for _, entry := range entries {
		names = append(names, entry.Name())
	}

	return names
}

// Read reads a file of a kernel: vmlinux, leakmod.ko, or lines.txt.
func Read(tb testing.TB, name, file string) []byte {
	tb.Helper()

	content, err := files.ReadFile(path.Join("testdata", name, file))
	if err != nil {
		tb.Fatal(err)
	}

	return content
}

// Lines are what binutils say of places in a kernel and its module, by frames as "kmalloc_trace+0x28/0x44"; empty where nothing can be said.
func Lines(tb testing.TB, name string) map[string]string {
	tb.Helper()

	all := make(map[string]string)

	for line := range strings.Lines(string(Read(tb, name, "lines.txt"))) {
		frame, place, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		all[frame] = place
	}

	return all
}

// Host is a host in a directory.
type Host struct{ Root, ProcPath, SysPath string }

// Kernel is the file of the kernel with its symbols.
func (h Host) Kernel() string { return filepath.Join(h.Root, "usr/lib/debug/boot/vmlinux-"+Release) }

// Module is that of the module leakmod.
func (h Host) Module() string {
	return filepath.Join(h.Root, "usr/lib/debug/lib/modules", Release, "kernel/drivers/leakmod.ko")
}

// BuildID is the file in which the kernel that runs shows its build id, and that of a module, in the notes of a loaded one.
func (h Host) BuildID(module string) string {
	if module == "" {
		return filepath.Join(h.SysPath, "kernel/notes")
	}

	return filepath.Join(h.SysPath, "module", module, "notes/.note.gnu.build-id")
}

// Bare makes a host that runs a kernel with a module, without debug symbols.
func Bare(tb testing.TB, name string) Host {
	tb.Helper()

	dir := tb.TempDir()
	h := Host{Root: dir, ProcPath: filepath.Join(dir, "proc"), SysPath: filepath.Join(dir, "sys")}
	Write(tb, filepath.Join(h.ProcPath, "sys/kernel/osrelease"), []byte(Release+"\n"))
	Write(tb, h.BuildID(""), note(tb, Read(tb, name, "vmlinux")))
	Write(tb, h.BuildID("leakmod"), note(tb, Read(tb, name, "leakmod.ko")))

	return h
}

// Installed is Bare, with debug symbols.
func Installed(tb testing.TB, name string) Host {
	tb.Helper()

	h := Bare(tb, name)
	Write(tb, h.Kernel(), Read(tb, name, "vmlinux"))
	Write(tb, h.Module(), Read(tb, name, "leakmod.ko"))

	return h
}

// note is the section with the build id.
func note(tb testing.TB, content []byte) []byte {
	tb.Helper()

	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		tb.Fatal(err)
	}

	data, err := file.Section(".note.gnu.build-id").Data()
	if err != nil {
		tb.Fatal(err)
	}

	return data
}

// Write writes a file, and the directories that it is in.
func Write(tb testing.TB, path string, content []byte) {
	tb.Helper()

	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}

	if err := os.WriteFile(path, content, 0o644); err != nil {
		tb.Fatal(err)
	}
}
