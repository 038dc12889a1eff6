//go:build e2e

// Package e2e proves the templates in real Zabbix servers. `make e2e` runs it.
package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// patience is how long a busy machine may take for what an idle one does in 1 to 10 s.
const patience = 90 * time.Second

// eachVersion runs a test with a server of its own of each version, which has never run before.
func eachVersion(t *testing.T, test func(*testing.T, *zabbixserver.Server)) {
	for _, version := range zabbixserver.Versions() {
		t.Run("Zabbix "+string(version), func(t *testing.T) {
			test(t, zabbixserver.StartT(t, zabbixserver.Options{Version: version}))
		})
	}
}

// file is an export file of the repository.
type file struct {
	name, text string
	// templates are the technical names of those in it.
	templates []string
}

// files returns the export files for a server of a version.
func files(t *testing.T, version zabbixserver.Version) []file {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", string(version), "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := make([]file, len(paths))
	for i, path := range paths {
		all[i] = read(t, path)
	}
	return all
}

func read(t *testing.T, path string) file {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	parsed, err := export.Parse(text)
	require.NoError(t, err)
	f := file{name: filepath.Base(path), text: string(text)}
	for _, template := range parsed.Templates {
		f.templates = append(f.templates, template.Template)
	}
	return f
}

// pluginBinary is the plugin that `make build` has made.
func pluginBinary(t *testing.T) string {
	t.Helper()
	path, err := builddir.Path("zabbix-agent2-plugin-hosting")
	require.NoError(t, err)
	require.FileExists(t, path, "run make build")
	return path
}

// passive returns the files whose items the server asks for: a host has either them or their active forms.
func passive(all []file) []file {
	return slices.DeleteFunc(all, func(f file) bool { return strings.HasSuffix(f.name, "_active.yaml") })
}

// await waits until nothing is missing any more.
func await(t *testing.T, limit time.Duration, missing func() string) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Second) {
		lack := missing()
		if lack == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s this is still missing:\n%s", limit, lack)
		}
	}
}
