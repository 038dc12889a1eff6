package templates_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/kmemleak"
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/templates/contract"
	"zabbix-agent2-plugin-hosting/templates/export"
)

const (
	kernelMemory = "linux_kernel_memory_by_zabbix_agent2.yaml"
	nginxSafety  = "nginx_configuration_safety_by_zabbix_agent2.yaml"
	plugin       = "hosting_plugin_by_zabbix_agent2.yaml"
	testSite     = "hosting_test_site_by_zabbix_agent2.yaml"
	fleet        = "hosting_fleet.yaml"
)

// eventful holds values that the plugin's own tests lack: of a site with successes and failures, of an nginx with everything that can be
// wrong with one, of who listens beside it and did so for a moment, and of who holds slab memory.
const eventful = "testdata/golden"

// goldenValues finds a value of each item key in the first of the folders that has it.
type goldenValues []fs.FS

func (g goldenValues) Open(name string) (fs.File, error) {
	var (
		file fs.File
		err  error
	)

	for _, folder := range g {
		if file, err = folder.Open(name); err == nil {
			return file, nil
		}
	}

	return nil, err
}

func golden() fs.FS {
	return goldenValues{os.DirFS(eventful), os.DirFS("../plugin/keys/testdata/golden")}
}

// The values are written by hand, so they are held to what the code can say.
func TestEventfulValuesAreWhatTheCodeReports(t *testing.T) {
	t.Parallel()

	requireReported[keys.SiteReport](t, "hosting.site.get.json")
	requireReported[keys.SlabReport](t, "hosting.slab.get.json")
	requireReported[slabowner.Report](t, "hosting.slab.owners.json")
	requireReported[kmemleak.Report](t, "hosting.kmemleak.get.json")
	requireReported[nginx.Report](t, "hosting.nginx.config.json")
	requireReported[listener.Report](t, "hosting.listener.get.json")
	requireReported[watch.Events](t, "hosting.listener.events.json")
}

func requireReported[R any](t *testing.T, name string) {
	t.Helper()

	written := read(t, filepath.Join(eventful, name))

	var report R

	require.NoError(t, json.Unmarshal([]byte(written), &report))

	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	require.JSONEq(t, written, string(encoded))
}

func files(t *testing.T, version string) []string {
	t.Helper()

	found, err := filepath.Glob(filepath.Join(version, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, found)

	return found
}

func read(t *testing.T, path string) string {
	t.Helper()

	data, err := os.ReadFile(path)
	require.NoError(t, err)

	return string(data)
}

func parse(t *testing.T, text string) *export.File {
	t.Helper()

	file, err := export.Parse([]byte(text))
	require.NoError(t, err)

	return file
}

// handWritten returns all templates, of whose items a calculation over all hosts may be.
func handWritten(t *testing.T) []*export.File {
	t.Helper()

	var all []*export.File
	for _, path := range sources(t) {
		all = append(all, parse(t, read(t, path)))
	}

	return all
}

func TestTemplatesKeepTheirContract(t *testing.T) {
	t.Parallel()

	for _, path := range append(files(t, "7.0"), files(t, "6.0")...) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()

			require.Empty(t, contract.Check(parse(t, read(t, path)), golden(), handWritten(t)...))
		})
	}
}

func TestUUIDsNeverChange(t *testing.T) {
	t.Parallel()

	want := strings.Split(strings.TrimSpace(read(t, "testdata/uuids.txt")), "\n")

	for _, version := range []string{"7.0", "6.0"} {
		var got []string
		for _, path := range files(t, version) {
			got = append(got, contract.UUIDs(parse(t, read(t, path)))...)
		}

		slices.Sort(got)
		require.Len(t, slices.CompactFunc(slices.Clone(got), sameUUID), len(got), "%s: two templates have the same UUID", version)
		require.Empty(t, without(want, got), "%s: these are in testdata/uuids.txt; an object keeps its UUID", version)
		require.Empty(t, without(got, want), "%s: new objects; add these lines to testdata/uuids.txt", version)
	}
}

func sameUUID(line, other string) bool { return line[:32] == other[:32] }

// without returns the lines that are in all and not in known.
func without(all, known []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(line string) bool { return slices.Contains(known, line) })
}

// What a fleet counts, and what is an error, goes by numbers that stand in scripts.
func TestScriptsKnowWhichStatesAreBad(t *testing.T) {
	t.Parallel()

	bad := map[string]string{
		plugin:      fmt.Sprintf("'return value >= %d ? 1 : 0;'", int(helper.Refused)),
		nginxSafety: fmt.Sprintf("'return value === ''%d'' || value === ''%d'' ? 1 : 0;'", nginx.StateInvalid, nginx.StateEnvironment),
	}
	bad[kernelMemory] = fmt.Sprintf("if (report.state === %d) {", int(slabowner.StateRunning))
	require.Contains(t, read(t, filepath.Join("7.0", kernelMemory)), fmt.Sprintf("report.state >= %d ? report.sentence", int(slabowner.StateUnsupported)))

	for file, script := range bad {
		require.Contains(t, read(t, filepath.Join("7.0", file)), script)
	}

	require.Len(t, slabowner.States(), int(slabowner.StateFailed)+1, "the script takes every state from unsupported on for an error")
	require.Len(t, helper.States(), int(helper.VersionMismatch)+1, "the script takes every state from refused on for a bad one")
}

// A listener that takes nobody's clients must not raise an alarm.
func TestScriptsKnowWhichListenersTakeClients(t *testing.T) {
	t.Parallel()

	taking := "foreigner.relation_name !== '" + listener.RelationLessSpecific.String() + "'"
	waiting := strings.Replace(taking, "!==", "===", 1)

	nginxText, siteText := read(t, filepath.Join("7.0", nginxSafety)), read(t, filepath.Join("7.0", testSite))
	require.Equal(t, 2, strings.Count(nginxText, taking), "the count and the sentences")
	require.Equal(t, 1, strings.Count(nginxText, waiting), "the count of those that wait")
	require.Equal(t, 1, strings.Count(siteText, taking), "the sentences")

	tookThen := strings.Replace(taking, "foreigner.", "concern.", 1)
	require.Equal(t, 3, strings.Count(nginxText, tookThen), "whether one came, the sentence of the last, and those of the last 10")
}

func TestAChangedUUIDIsCaught(t *testing.T) {
	t.Parallel()

	good := read(t, filepath.Join("7.0", kernelMemory))
	kept := contract.UUIDs(parse(t, good))
	changed := contract.UUIDs(parse(t, strings.Replace(good, "uuid: e4f2ace1", "uuid: e4f2ace2", 1)))

	require.Equal(t, []string{"e4f2ace118a14381aec6f756b9ef74e8 items Boot time"}, without(kept, changed))
	require.Equal(t, []string{"e4f2ace218a14381aec6f756b9ef74e8 items Boot time"}, without(changed, kept))
}
