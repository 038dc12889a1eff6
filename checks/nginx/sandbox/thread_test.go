package sandbox

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	waitLimit = 10 * time.Second
	waitPause = time.Millisecond
)

// inOneNamespace tells whether all threads of this process but those that are held in another one on purpose share a namespace.
func inOneNamespace(t *testing.T, name string) bool {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/" + name)
	require.NoError(t, err)
	files, err := filepath.Glob("/proc/self/task/*/ns/" + name)
	require.NoError(t, err)
	others := 0
	for _, file := range files {
		if its, err := os.Readlink(file); err == nil && its != own {
			others++
		}
	}
	return others <= 1
}
