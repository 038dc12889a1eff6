//go:build debugsymbols

package kernelsource

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
	"zabbix-agent2-plugin-hosting/testenv/kernels"
)

const (
	// eachFile is how many places of a file are compared.
	eachFile = 100
	// builtIn begins the paths of Debian's kernels.
	builtIn = "debian/build/build_amd64_none_cloud-amd64/"
	// maxTakenKiB is what a look at a kernel's or a module's file may add to the process's memory.
	maxTakenKiB = 24 << 10
)

// residentKiB is the most that this process had of memory (proc_pid_status(5)).
func residentKiB(t *testing.T) (kib int) {
	t.Helper()

	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)

	_, rest, found := bytes.Cut(status, []byte("VmHWM:"))
	require.True(t, found)

	_, err = fmt.Sscan(string(rest), &kib)
	require.NoError(t, err)

	return kib
}

func section(t *testing.T, path, name string) []byte {
	t.Helper()

	file, err := elf.Open(path)
	require.NoError(t, err)

	defer func() { _ = file.Close() }()

	data, err := file.Section(name).Data()
	require.NoError(t, err)

	return data
}

// debian is a host that runs a kernel of Debian's, with the modules whose symbols are there.
func debian(t *testing.T, version kernels.Version) (h debugkernel.Host, files map[string]string) {
	t.Helper()

	root, release, err := version.DebugSymbols()
	require.NoError(t, err)

	dir := t.TempDir()
	h = debugkernel.Host{Root: root, ProcPath: filepath.Join(dir, "proc"), SysPath: filepath.Join(dir, "sys")}
	files = host{root: root}.moduleFiles(release)
	require.Len(t, files, 2)

	for module, file := range files {
		debugkernel.Write(t, h.BuildID(module), section(t, file, ".note.gnu.build-id"))
	}

	files[""] = filepath.Join(root, "usr/lib/debug/boot/vmlinux-"+release)
	debugkernel.Write(t, h.BuildID(""), section(t, files[""], ".notes"))
	debugkernel.Write(t, filepath.Join(h.ProcPath, "sys/kernel/osrelease"), []byte(release+"\n"))

	return h, files
}

// It is the first here, so that its memory is its own.
func TestAStackOfDebiansKernelsIsFoundInTheTimeOfAReport(t *testing.T) {
	stack := []string{
		"sk_prot_alloc+0x32", "sk_alloc+0x2c", "inet_create+0xe0", "__sock_create+0xc0", "__sys_socket+0x50", "__x64_sys_socket+0x13", "do_syscall_64+0x58",
		"kmem_cache_alloc+0x60", "nf_conntrack_alloc+0x20 [nf_conntrack]",
	}

	for _, version := range kernels.Versions() {
		t.Run(string(version), func(t *testing.T) {
			host, _ := debian(t, version)
			memory, begun := residentKiB(t), time.Now()
			lines := finderOf(host).Find(time.Minute, stack).Of(stack)
			took, taken := time.Since(begun), residentKiB(t)-memory
			t.Logf("%s, %d KiB more memory: %s", took, taken, lines)
			require.Less(t, taken, maxTakenKiB)

			files := make([]string, len(lines))
			for i, line := range lines {
				files[i], _, _ = strings.Cut(line, ":")
			}

			require.Subset(t, files, []string{"net/core/sock.c", "net/ipv4/af_inet.c", "net/socket.c"})
			require.False(t, slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "debian/") }))
		})
	}
}
