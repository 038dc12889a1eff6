// Package e2e proves the templates in real Zabbix servers. `make e2e` runs it.
package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/export"
)

// file is an export file of the repository.
type file struct {
	name, text string
	// templates are the technical names of those in it.
	templates []string
	parsed    *export.File
}

// files returns the export files for a server of a version.
func files[V ~string](t *testing.T, version V) []file {
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
	f := file{name: filepath.Base(path), text: string(text), parsed: parsed}
	for _, template := range parsed.Templates {
		f.templates = append(f.templates, template.Template)
	}
	return f
}

// passive returns the files whose items the server asks for: a host has either them or their active forms.
func passive(all []file) []file {
	return slices.DeleteFunc(all, func(f file) bool { return strings.HasSuffix(f.name, "_active.yaml") })
}

// ofHosts are those that a host with an agent is linked to.
func ofHosts(all []file) []file {
	return slices.DeleteFunc(passive(all), func(f file) bool { return f.name == fleetFile })
}
