package keys

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/plugin/config"
)

var update = flag.Bool("update", false, "write the golden payloads and the README's tables anew")

// volatile are the numbers that differ from run to run; in a golden payload they are 1.
var volatile = map[string]*regexp.Regexp{
	"hosting.plugin.get": regexp.MustCompile(`("(?:pid|rss_bytes|goroutines)"):[0-9]+`),
	"hosting.oom.get":    regexp.MustCompile(`("(?:boot_at|at|age_s|last_oom_at|last_oom_age_s|since)"):[0-9.]+`),
}

// asksTheHost are keys whose values are not the fixtures' but of this very network, processes and sockets. The packages of
// their checks test what they report, and the templates hold a golden payload of those that they use.
var asksTheHost = map[string]bool{
	"hosting.site.probe": true, "hosting.nginx.config": true, "hosting.listener.get": true,
}

// fixtureHost is a host with proc, sys and a kernel log of its own.
type fixtureHost struct {
	t       *testing.T
	options config.Options
}

func newFixtureHost(t *testing.T) *fixtureHost {
	t.Helper()

	shop, err := site.NewTarget("https://shop.example/")
	require.NoError(t, err)

	root := t.TempDir()
	h := &fixtureHost{t: t, options: config.Options{
		ProcPath:    filepath.Join(root, "proc"),
		SysPath:     filepath.Join(root, "sys"),
		KmsgPath:    kernelLog(t, "testdata/host/kmsg"),
		SlabHistory: time.Hour,
		Sites:       []site.Site{{Name: "shop", Target: shop}},
	}}

	require.NoError(t, os.Mkdir(h.options.ProcPath, 0o755))
	h.fillSys()

	return h
}

// become makes the host's proc that of the moment "before" or "after".
func (h *fixtureHost) become(moment string) {
	h.t.Helper()
	for _, name := range []string{"meminfo", "slabinfo", "vmstat"} {
		text, err := os.ReadFile(filepath.Join("testdata/host", moment, name))
		require.NoError(h.t, err)
		require.NoError(h.t, os.WriteFile(filepath.Join(h.options.ProcPath, name), text, 0o644))
	}
}

// fillSys lays out /sys/kernel/slab as the kernel does: merged caches are links to the folder of their group.
func (h *fixtureHost) fillSys() {
	h.t.Helper()

	root := filepath.Join(h.options.SysPath, "kernel/slab")
	text, err := os.ReadFile("testdata/host/reclaimable")
	require.NoError(h.t, err)

	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		folder := fields[0]

		if len(fields) == 3 {
			folder = ":" + fields[0]

			require.NoError(h.t, os.MkdirAll(root, 0o755))

			for _, name := range append(strings.Split(fields[2], ","), fields[0]) {
				require.NoError(h.t, os.Symlink(folder, filepath.Join(root, name)))
			}
		}

		require.NoError(h.t, os.MkdirAll(filepath.Join(root, folder), 0o755))
		require.NoError(h.t, os.WriteFile(filepath.Join(root, folder, "reclaim_account"), []byte(fields[1]+"\n"), 0o644))
	}

	h.fillCgroups()
}

// fillCgroups has a unit with a kill, and one in the same slice that is gone.
func (h *fixtureHost) fillCgroups() {
	h.t.Helper()

	for name, text := range map[string]string{
		"cgroup.controllers":                            "cpu io memory pids\n",
		"system.slice/memory.events":                    "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\noom_group_kill 0\n",
		"system.slice/php8.2-fpm.service/memory.events": "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 0\n",
		"system.slice/php8.2-fpm.service/memory.stat":   "slab_reclaimable 4194304\nslab_unreclaimable 8388608\n",
	} {
		path := filepath.Join(h.options.SysPath, "fs/cgroup", name)
		require.NoError(h.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(h.t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// kernelLog returns the path of a double of /dev/kmsg: a packet pipe, of which each read takes one record.
func kernelLog(t *testing.T, path string) string {
	t.Helper()

	var ends [2]int

	require.NoError(t, unix.Pipe2(ends[:], unix.O_DIRECT|unix.O_CLOEXEC))
	t.Cleanup(func() {
		require.NoError(t, unix.Close(ends[0]))
		require.NoError(t, unix.Close(ends[1]))
	})

	text, err := os.ReadFile(path)
	require.NoError(t, err)

	for record := range strings.Lines(string(text)) {
		_, err := unix.Write(ends[1], []byte(record))
		require.NoError(t, err)
	}

	return filepath.Join("/proc/self/fd", strconv.Itoa(ends[0]))
}

type fixedProcess struct{ status agent.Status }

func (p fixedProcess) Status() agent.Status { return p.status }

func evaluateFixture(t *testing.T) map[string]string {
	t.Helper()

	values := make(map[string]string)
	host := newFixtureHost(t)

	// In the bubble time is fake and deterministic: it begins at midnight of 2000-01-01.
	synctest.Test(t, func(t *testing.T) {
		process := fixedProcess{agent.Status{
			StartedAt: time.Now(), AgentProtocol: "6.4",
			Link:        agent.LinkStatus{PID: os.Getpid(), StartedAt: time.Now(), WorkerRestarts: 1, LastWorkerDeath: "signal: killed"},
			ServedTotal: 120, FailedTotal: 3, RefusedTotal: 1, TimedOutTotal: 1, RecoveredPanics: 1, InFlight: 2, Slots: 100,
		}}
		checks := NewChecks(host.options, process, "1.2.3")
		checks.units = fixedUnits{}
		checks.helper = nil // as for root, whoever runs the test

		host.become("before")
		checks.SampleSlab()
		time.Sleep(30 * time.Minute)
		host.become("after")

		all := All()
		// The plugin's own state is asked last, when every check has run.
		for _, key := range append(all[1:], all[0]) {
			if asksTheHost[key.Name] {
				continue
			}

			_, parameters, err := ParseItemKey(key.Example())
			require.NoError(t, err)

			value, err := checks.Evaluate(context.Background(), key.Name, parameters)
			require.NoError(t, err)

			values[key.Name] = value
		}
	})

	return values
}

func TestGoldenPayloads(t *testing.T) {
	t.Parallel()

	for name, value := range evaluateFixture(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, extension := readable(t, name, value)
			path := filepath.Join("testdata/golden", name+extension)

			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}

			golden, err := os.ReadFile(path)
			require.NoError(t, err, "run `make docs` for a new key")
			require.Equal(t, string(golden), got)
		})
	}
}

// readable returns a payload as its golden file holds it, and the extension of that file.
func readable(t *testing.T, name, value string) (text, extension string) {
	t.Helper()

	if !json.Valid([]byte(value)) || value[0] != '{' && value[0] != '[' {
		return value, ".txt"
	}

	if pattern, ok := volatile[name]; ok {
		value = pattern.ReplaceAllString(value, "$1:1")
	}

	var indented bytes.Buffer

	require.NoError(t, json.Indent(&indented, []byte(value), "", "  "))

	return indented.String() + "\n", ".json"
}
