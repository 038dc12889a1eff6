package slabowner

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/kernelsource"
	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
)

func TestOwnersHaveTheLinesOfTheirStacks(t *testing.T) {
	t.Parallel()

	owners := func() []Owner {
		return []Owner{
			{CallSite: "leak_cache+0x8 [leakmod]", Stack: []string{"leak_cache+0x8 [leakmod]", "start_kernel+0x10", "0xffffffffc03f8077"}},
			{CallSite: "0xffffffffc03f8077", Stack: []string{}},
		}
	}
	installed, bare := debugkernel.Installed(t, "amd64-dwarf5"), debugkernel.Bare(t, "amd64-dwarf5")

	r := &Report{Owners: owners()}
	r.find(kernelsource.New(installed.Root, installed.ProcPath, installed.SysPath))

	want := &Report{Owners: owners()}
	want.Owners[0].CallSiteSource = "drivers/leakmod.c:7"
	want.Owners[0].Source = []string{"drivers/leakmod.c:7", "init/main.c:17", ""}
	require.Equal(t, want, r)

	r = &Report{Owners: owners()}
	r.find(kernelsource.New(bare.Root, bare.ProcPath, bare.SysPath))
	require.Equal(t, owners(), r.Owners)
	require.Contains(t, r.SourceReason, "the debug symbols of the kernel 6.1.0-50-test are not installed")

	r = &Report{Owners: owners()}
	r.find(nil)
	require.Equal(t, &Report{Owners: owners()}, r, "nobody wants them")
}
