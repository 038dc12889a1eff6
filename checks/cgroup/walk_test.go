package cgroup

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree makes files below a sysfs.
func tree(t *testing.T, files map[string]string) (sys string) {
	t.Helper()

	sys = t.TempDir()
	for name, text := range files {
		path := filepath.Join(sys, dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}

	return sys
}

func TestAWalkGoesDownToTheUnits(t *testing.T) {
	t.Parallel()

	mount := filepath.Join(tree(t, map[string]string{
		"system.slice/nginx.service/inner/x":               "",
		"user.slice/user-7.slice/user@7.service/a.scope/x": "",
		"docker/0123/x": "",
		"alone/x":       "",
	}), dir)

	type visited struct{ path, unit string }

	for name, c := range map[string]struct {
		inside bool
		want   []visited
	}{
		"to the units": {false, []visited{
			{"/alone", "/alone"}, {"/docker", ""}, {"/docker/0123", "/docker/0123"},
			{"/system.slice", ""}, {"/system.slice/nginx.service", "/system.slice/nginx.service"},
			{"/user.slice", ""}, {"/user.slice/user-7.slice", ""}, {"/user.slice/user-7.slice/user@7.service", "/user.slice/user-7.slice/user@7.service"},
		}},
		"into the units": {true, []visited{
			{"/alone", "/alone"}, {"/docker", ""}, {"/docker/0123", "/docker/0123"},
			{"/system.slice", ""}, {"/system.slice/nginx.service", "/system.slice/nginx.service"},
			{"/system.slice/nginx.service/inner", "/system.slice/nginx.service"},
			{"/user.slice", ""}, {"/user.slice/user-7.slice", ""}, {"/user.slice/user-7.slice/user@7.service", "/user.slice/user-7.slice/user@7.service"},
			{"/user.slice/user-7.slice/user@7.service/a.scope", "/user.slice/user-7.slice/user@7.service"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var got []visited

			complete := Walk(context.Background(), mount, c.inside, func(g Group) bool {
				got = append(got, visited{g.Path, g.Unit})
				require.Equal(t, filepath.Join(mount, g.Path), g.Dir)

				return true
			})
			require.True(t, complete)
			require.Equal(t, c.want, got)
		})
	}
}

func TestAWalkEndsWhenItIsToldTo(t *testing.T) {
	t.Parallel()

	mount := filepath.Join(tree(t, map[string]string{"a/b/x": "", "c/x": ""}), dir)
	visits := 0

	require.True(t, Walk(context.Background(), mount, true, func(Group) bool {
		visits++

		return false
	}))
	require.Equal(t, 1, visits)

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.False(t, Walk(ended, mount, true, func(Group) bool { return true }))
}

func TestAHostWithTooManyCgroupsIsWalkedInPart(t *testing.T) {
	t.Parallel()

	mount := filepath.Join(tree(t, map[string]string{"a/x": "", "b/c/x": "", "d/x": ""}), dir)

	for limit, complete := range map[int]bool{3: false, 4: true} {
		visits := 0
		w := walk{ctx: context.Background(), take: func(Group) bool { visits++; return true }, left: limit}
		require.Equal(t, complete, w.run(mount))
		require.Equal(t, limit, visits)
	}
}

func TestTheMemoryControllerIsFoundInEitherVersion(t *testing.T) {
	t.Parallel()

	const file = "memory.oom_control"

	for name, c := range map[string]struct {
		files   map[string]string
		version int
		below   string
	}{
		"version 2":                  {map[string]string{controllersFile: "cpu memory\n"}, 2, ""},
		"version 2 beside version 1": {map[string]string{"unified/" + controllersFile: "memory\n", "cpu/tasks": ""}, 2, "unified"},
		"version 1":                  {map[string]string{"memory/" + file: ""}, 1, "memory"},
		"version 1 beside version 2": {map[string]string{"unified/" + controllersFile: "hugetlb\n", "memory/" + file: ""}, 1, "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			sys := tree(t, c.files)
			got, err := FindMemory(sys, file)
			require.NoError(t, err)
			require.Equal(t, Mount{c.version, filepath.Join(sys, dir, c.below)}, got)
		})
	}

	_, err := FindMemory(tree(t, map[string]string{controllersFile: "cpu\n"}), file)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "boot without cgroup_disable=memory")
}
