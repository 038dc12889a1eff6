package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func directoryID(t *testing.T, path string) uint64 {
	t.Helper()

	info, err := os.Stat(path)
	require.NoError(t, err)

	stat, _ := info.Sys().(*syscall.Stat_t)

	return stat.Ino
}

func TestNamesOfCgroups(t *testing.T) {
	t.Parallel()

	for name, mount := range map[string]string{"version 2": "", "version 2 beside version 1": "unified"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			sys := t.TempDir()
			mounted := filepath.Join(sys, dir, mount)
			site := filepath.Join(mounted, "system.slice/nginx.service")
			inner := filepath.Join(site, "inner")
			require.NoError(t, os.MkdirAll(inner, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(mounted, controllersFile), nil, 0o600))

			names := NewNames(func() string { return Unified(sys) })
			id, gone := directoryID(t, site), uint64(1)
			ids := map[uint64]string{directoryID(t, mounted): "", id: "", directoryID(t, inner): "", gone: "", 0: ""}
			names.Paths(ids)
			require.Equal(t, map[uint64]string{
				directoryID(t, mounted): "/", id: "/system.slice/nginx.service", directoryID(t, inner): "/system.slice/nginx.service/inner", gone: "", 0: "",
			}, ids)

			// What is known is not looked for again.
			require.NoError(t, os.RemoveAll(sys))
			require.Equal(t, "/system.slice/nginx.service", names.Path(id))
		})
	}
}

func TestRememberedCgroupsAreLimited(t *testing.T) {
	t.Parallel()

	mount := t.TempDir()
	names := NewNames(func() string { return mount })

	for id := range uint64(maxKnown) + 5 {
		names.Path(id + 1)
	}

	require.LessOrEqual(t, len(names.known), maxKnown)
}

func TestANameFromAUserIsShortAndHarmless(t *testing.T) {
	t.Parallel()

	require.Equal(t, "/a?b", readable("/a\nb"))
	require.Equal(t, strings.Repeat("x", maxName)+"...", readable(strings.Repeat("x", 5000)))
}
