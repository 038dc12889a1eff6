package kernelsource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
)

func TestSymbolsAreFoundWhereDistributionsPutThem(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct{ kernel, module string }{
		"Debian":                {"usr/lib/debug/boot/vmlinux-RELEASE", "usr/lib/debug/lib/modules/RELEASE/kernel/drivers/leakmod.ko"},
		"RHEL":                  {"usr/lib/debug/lib/modules/RELEASE/vmlinux", "usr/lib/debug/lib/modules/RELEASE/kernel/drivers/leakmod.ko.debug"},
		"RHEL with a merged /":  {"usr/lib/debug/usr/lib/modules/RELEASE/vmlinux", "usr/lib/debug/usr/lib/modules/RELEASE/extra/leakmod.ko.debug"},
		"openSUSE":              {"usr/lib/debug/boot/vmlinux-RELEASE.debug", "usr/lib/debug/lib/modules/RELEASE/kernel/leakmod.ko.debug"},
		"a kernel of one's own": {"lib/modules/RELEASE/build/vmlinux", "lib/modules/RELEASE/updates/leakmod.ko"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h := debugkernel.Bare(t, kernel)
			place := func(path, file string) {
				path = strings.ReplaceAll(path, "RELEASE", debugkernel.Release)
				debugkernel.Write(t, filepath.Join(h.Root, path), debugkernel.Read(t, kernel, file))
			}
			place(test.kernel, "vmlinux")
			place(test.module, "leakmod.ko")

			lines := finderOf(h).Find(time.Minute, []string{inKernel, inModule})
			require.Empty(t, lines.Reason)
			require.Equal(t, []string{kernelLine, moduleLine}, lines.Of([]string{inKernel, inModule}))
		})
	}
}

func TestModulesAreNamedAsTheKernelNamesThem(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	debugOf := func(path string) string { return filepath.Join(root, "usr/lib/debug/lib/modules/6.1", path) }
	built := filepath.Join(root, "lib/modules/6.1/kernel/net/nf-tables.ko")

	for _, path := range []string{debugOf("kernel/sound/snd-hda_intel.ko.debug"), debugOf("kernel/net/nf-tables.ko"), built, debugOf("vmlinux"), debugOf("kernel/x.ko.xz")} {
		debugkernel.Write(t, path, nil)
	}

	require.NoError(t, os.Symlink(root, debugOf("loop")))
	require.Equal(t, map[string]string{
		"snd_hda_intel": debugOf("kernel/sound/snd-hda_intel.ko.debug"),
		"nf_tables":     debugOf("kernel/net/nf-tables.ko"),
	}, host{root: root}.moduleFiles("6.1"))
	require.Empty(t, host{root: root}.moduleFiles("6.2"))
}
