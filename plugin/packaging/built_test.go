package packaging

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/debian"
)

// packages holds what the tests share: all packages, and a deb for this machine that is newer.
var packages struct {
	once  sync.Once
	dir   string
	paths []string
	newer string
	err   error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if packages.dir != "" {
		_ = os.RemoveAll(packages.dir)
	}

	os.Exit(status)
}

// built builds all packages once and returns their paths.
func built(t *testing.T) []string {
	t.Helper()

	packages.once.Do(func() {
		if packages.dir, packages.err = os.MkdirTemp("", "built"); packages.err != nil {
			return
		}

		if packages.paths, packages.err = Build(context.Background(), filepath.Join(packages.dir, "all"), Options{}); packages.err != nil {
			return
		}

		var newer []string
		if newer, packages.err = Build(context.Background(), filepath.Join(packages.dir, "newer"), Options{
			Version: "99.0.0", Formats: []string{"deb"}, Arches: []string{runtime.GOARCH},
		}); packages.err == nil {
			packages.newer = newer[0]
		}
	})
	require.NoError(t, packages.err)

	return packages.paths
}

// only returns the one package whose name ends with suffix.
func only(t *testing.T, suffix string) string {
	t.Helper()

	var found []string
	for _, path := range built(t) {
		if matched, err := filepath.Match("*"+suffix, filepath.Base(path)); err == nil && matched {
			found = append(found, path)
		}
	}

	require.Len(t, found, 1, suffix)

	return found[0]
}

// builtPlugin unpacks the plugin out of this machine's deb.
func builtPlugin(t *testing.T) string {
	t.Helper()

	dir := t.TempDir()
	require.NoError(t, debian.Unpack(only(t, "_"+runtime.GOARCH+".deb"), dir))

	return filepath.Join(dir, installedTo)
}
