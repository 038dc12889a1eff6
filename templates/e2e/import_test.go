//go:build e2e

package e2e

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

func TestEveryTemplateImportsIntoACleanServerAndASecondTimeWithoutChange(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		for _, file := range files(t, s.Version()) {
			t.Run(file.name, func(t *testing.T) {
				started := time.Now()
				require.NoError(t, s.API().ImportTemplates(file.text))
				t.Logf("imported in %.1f s", time.Since(started).Seconds())
				first, err := s.API().ExportTemplates(file.templates...)
				require.NoError(t, err)
				requireAll(t, file.text, first)
				require.NoError(t, s.API().ImportTemplates(file.text))
				second, err := s.API().ExportTemplates(file.templates...)
				require.NoError(t, err)
				require.Equal(t, first, second)
				require.Empty(t, s.FrontendErrors())
			})
		}
	})
}

var uuidLine = regexp.MustCompile(`uuid: ([0-9a-f]{32})`)

// requireAll checks that everything with a UUID in a file is in an export.
func requireAll(t *testing.T, file, export string) {
	t.Helper()
	all := uuidLine.FindAllStringSubmatch(file, -1)
	require.NotEmpty(t, all)
	for _, uuid := range all {
		require.Contains(t, export, uuid[1])
	}
}
