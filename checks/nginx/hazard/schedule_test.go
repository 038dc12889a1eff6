package hazard

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// host writes a file system with some files; a name that ends in a star is executable.
func host(t *testing.T, files map[string]string) string {
	t.Helper()

	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o755))

	for name, text := range files {
		name, executable := strings.CutSuffix(name, "*")

		mode := os.FileMode(0o644)
		if executable {
			mode = 0o755
		}

		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
	}

	return root
}

func TestCronsTablesAndScriptsAreRead(t *testing.T) {
	t.Parallel()

	root := host(t, map[string]string{
		"/etc/crontab":                 "SHELL=/bin/sh\n# nginx -t\n* * * * * root cd / && \\\n  nginx -t\n17 * * * * root run-parts /etc/cron.hourly\n",
		"/etc/anacrontab":              "1 5 x nginx -tq\n",
		"/etc/cron.d/check":            "\n\n*/5 * * * * root PASSWORD=secret /usr/sbin/nginx -t || mail\n",
		"/etc/cron.d/script":           "* * * * * root /usr/local/bin/check.sh >/dev/null\n* * * * * root /usr/bin/python3 /opt/check.py\n",
		"/etc/cron.d/check.dpkg-old":   "* * * * * root nginx -t\n",
		"/etc/cron.d/.placeholder":     "* * * * * root nginx -t\n",
		"/etc/cron.daily/one*":         "#!/bin/sh\nset -e\nservice nginx configtest\n",
		"/etc/cron.daily/off":          "#!/bin/sh\nnginx -t\n",
		"/var/spool/cron/root":         "@daily nginx -t\n",
		"/var/spool/cron/crontabs/www": "@daily angie -T\n",
		"/usr/local/bin/check.sh*":     "#!/bin/sh\n\nif ! nginx -t\nthen exit 1; fi\n/usr/local/bin/inner\n",
		"/usr/local/bin/inner*":        "#!/bin/sh\nnginx -t\n",
		"/opt/check.py":                "import subprocess\nsubprocess.run(['nginx', '-t'])\n",
		"/usr/bin/python3*":            "\x7fELF nginx -t",
	})

	require.Equal(t, Schedule{Places: []Place{
		{Kind: KindCron, File: "/etc/anacrontab", Line: 1, Test: "nginx -t"},
		{Kind: KindCron, File: "/etc/cron.d/check", Line: 3, Test: "/usr/sbin/nginx -t"},
		{Kind: KindCron, File: "/etc/cron.daily/one", Line: 3, Test: "service nginx configtest"},
		{Kind: KindCron, File: "/etc/crontab", Line: 3, Test: "nginx -t"},
		{Kind: KindCron, File: "/opt/check.py", Line: 2, Test: "nginx -t", Via: "/etc/cron.d/script:2"},
		{Kind: KindCron, File: "/usr/local/bin/check.sh", Line: 3, Test: "nginx -t", Via: "/etc/cron.d/script:1"},
		{Kind: KindCron, File: "/var/spool/cron/crontabs/www", Line: 1, Test: "angie -T"},
		{Kind: KindCron, File: "/var/spool/cron/root", Line: 1, Test: "nginx -t"},
	}}, Scheduled(root))
}

func TestSystemdsUnitsAreRead(t *testing.T) {
	t.Parallel()

	root := host(t, map[string]string{
		"/usr/lib/systemd/system/nginx.service": "[Service]\nExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'\n" +
			"ExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'\nExecReload=/usr/sbin/nginx -s reload\n",
		"/usr/lib/systemd/system/check.timer":           "[Timer]\nOnCalendar=minutely\n",
		"/usr/lib/systemd/system/check.service":         "[Service]\nExecStart=-/usr/sbin/nginx -T\n",
		"/etc/systemd/system/check.service":             "[Service]\n#ExecStart=nginx -t\nExecStart=/opt/check.sh\n",
		"/etc/systemd/system/check.service.d/more.conf": "[Service]\nExecStartPost=+/usr/sbin/nginx \\\n  -t\n",
		"/etc/systemd/system/other.timer":               "[Timer]\nUnit=named.service\n",
		"/etc/systemd/system/other.service":             "[Service]\nExecStart=nginx -t\n",
		"/etc/systemd/system/named.service":             "[Service]\nExecCondition=nginx -t\n",
		"/usr/local/lib/systemd/system/conf.path":       "[Path]\nPathChanged=/etc/nginx\n",
		"/usr/local/lib/systemd/system/conf.service":    "[Service]\nExecStart=/bin/sh -c 'nginx -t && nginx -s reload'\n",
		"/etc/systemd/system/multi-user.target.wants/x": "",
		"/opt/check.sh*":                                "#!/bin/sh\nnginx -t\n",
	})

	require.Equal(t, Schedule{Places: []Place{
		{Kind: KindTimer, File: "/etc/systemd/system/check.service.d/more.conf", Line: 2, Test: "/usr/sbin/nginx -t"},
		{Kind: KindTimer, File: "/etc/systemd/system/named.service", Line: 2, Test: "nginx -t"},
		{Kind: KindStart, File: "/etc/systemd/system/other.service", Line: 2, Test: "nginx -t"},
		{Kind: KindTimer, File: "/opt/check.sh", Line: 2, Test: "nginx -t", Via: "/etc/systemd/system/check.service:3"},
		{Kind: KindStart, File: "/usr/lib/systemd/system/nginx.service", Line: 2, Test: "/usr/sbin/nginx -t"},
		{Kind: KindTimer, File: "/usr/local/lib/systemd/system/conf.service", Line: 2, Test: "nginx -t"},
	}}, Scheduled(root))
}

func TestSudoersAndUserParametersAreRead(t *testing.T) {
	t.Parallel()

	root := host(t, map[string]string{
		"/etc/sudoers":                               "Defaults x\nCmnd_Alias WEB = /bin/true, \\\n  /usr/sbin/nginx -t, /bin/false\n",
		"/etc/sudoers.d/zabbix":                      "zabbix ALL=(root) NOPASSWD: /usr/sbin/nginx -t\n",
		"/etc/sudoers.d/old.conf":                    "zabbix ALL=(root) NOPASSWD: /usr/sbin/nginx -t\n",
		"/etc/sudoers.d/any":                         "zabbix ALL=(root) NOPASSWD: /usr/sbin/nginx\n",
		"/etc/zabbix/zabbix_agentd.conf":             "# UserParameter=a,nginx -t\nUserParameter=nginx.test[*],sudo nginx -t 2>&1 | grep -c $1\n",
		"/etc/zabbix/zabbix_agent2.d/a.conf":         " UserParameter = b , /usr/sbin/nginx -t\nTimeout=3\n",
		"/etc/zabbix/zabbix_agent2.d/a.txt":          "UserParameter=c,nginx -t\n",
		"/etc/zabbix/zabbix_server.conf":             "UserParameter=d,nginx -t\n",
		"/usr/local/etc/zabbix_agentd.conf.d/x.conf": "UserParameter=e,/opt/e.sh\n",
		"/opt/e.sh": "nginx -t\n",
	})

	require.Equal(t, Schedule{Places: []Place{
		{Kind: KindSudoers, File: "/etc/sudoers", Line: 2, Test: "/usr/sbin/nginx -t"},
		{Kind: KindSudoers, File: "/etc/sudoers.d/zabbix", Line: 1, Test: "/usr/sbin/nginx -t"},
		{Kind: KindZabbix, File: "/etc/zabbix/zabbix_agent2.d/a.conf", Line: 1, Test: "/usr/sbin/nginx -t"},
		{Kind: KindZabbix, File: "/etc/zabbix/zabbix_agentd.conf", Line: 2, Test: "nginx -t"},
		{Kind: KindZabbix, File: "/opt/e.sh", Line: 1, Test: "nginx -t", Via: "/usr/local/etc/zabbix_agentd.conf.d/x.conf:1"},
	}}, Scheduled(root))
}

func TestDebiansOwnUnitTestsAtTheStartOnly(t *testing.T) {
	t.Parallel()

	for _, suite := range nginx.Suites() {
		build, err := nginx.InstallSuite(suite)
		require.NoError(t, err)

		places := Scheduled(strings.TrimSuffix(build.Path, "/usr/sbin/nginx")).Places
		require.Len(t, places, 1)
		require.Equal(t, KindStart, places[0].Kind)
		require.Equal(t, "nginx.service", filepath.Base(places[0].File))
		require.Equal(t, "/usr/sbin/nginx -t", places[0].Test)
	}
}

func TestAHostWithoutAnyOfThemRunsNone(t *testing.T) {
	t.Parallel()

	require.Equal(t, Schedule{}, Scheduled(t.TempDir()))
}

func TestWhatMayNotBeReadIsSaid(t *testing.T) {
	t.Parallel()

	root := host(t, map[string]string{"/etc/sudoers": "", "/var/spool/cron/crontabs/root": "", "/etc/crontab": "* * * * * root nginx -t\n"})
	require.NoError(t, os.Chmod(filepath.Join(root, "etc/sudoers"), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(root, "var/spool/cron/crontabs"), 0o700))

	// The directories above are the test's own.
	require.NoError(t, os.Chmod(filepath.Dir(root), 0o755))

	want := Schedule{
		Places:     []Place{{Kind: KindCron, File: "/etc/crontab", Line: 1, Test: "nginx -t"}},
		Unreadable: []string{"/etc/sudoers", "/var/spool/cron/crontabs"},
	}

	if os.Geteuid() == 0 {
		apart.AsNobody(t, func() { require.Equal(t, want, Scheduled(root)) })

		return
	}

	require.NoError(t, os.Chmod(filepath.Join(root, "etc/sudoers"), 0))
	require.NoError(t, os.Chmod(filepath.Join(root, "var/spool/cron/crontabs"), 0))
	t.Cleanup(func() { require.NoError(t, os.Chmod(filepath.Join(root, "var/spool/cron/crontabs"), 0o700)) })
	require.Equal(t, want, Scheduled(root))
}

func TestPipesAndLinksDoNotStopTheSearch(t *testing.T) {
	t.Parallel()

	root := host(t, map[string]string{"/etc/crontab": "* * * * * root /opt/pipe; /opt/dir; /opt/loop; nginx -t\n", "/opt/dir/x": ""})
	require.NoError(t, unix.Mkfifo(filepath.Join(root, "opt/pipe"), 0o600))
	require.NoError(t, unix.Mkfifo(filepath.Join(root, "etc/anacrontab"), 0o600))
	require.NoError(t, os.Symlink("loop", filepath.Join(root, "opt/loop")))
	require.NoError(t, os.Symlink("/dev/null", filepath.Join(root, "etc/sudoers")))

	require.Equal(t, Schedule{Places: []Place{{Kind: KindCron, File: "/etc/crontab", Line: 1, Test: "nginx -t"}}}, Scheduled(root))
}

func TestWhatIsTooMuchIsCounted(t *testing.T) {
	t.Parallel()

	root := host(t, map[string]string{"/etc/crontab": strings.Repeat("* * * * * root nginx -t\n", maxKept+1)})
	got := Scheduled(root)
	require.Len(t, got.Places, 50)
	require.Equal(t, maxKept-50, got.Omitted)
	require.True(t, got.Incomplete)

	s := scanner{root: root, files: maxFiles}
	require.Empty(t, s.read("/etc/crontab"))
	require.True(t, s.incomplete)

	scripts := map[string]string{}

	var table strings.Builder

	for i := range maxScripts + 1 {
		scripts[fmt.Sprintf("/opt/%d", i)] = "#!/bin/sh\n"
		fmt.Fprintf(&table, "* * * * * root /opt/%d\n", i)
	}

	scripts["/etc/crontab"] = table.String()
	require.True(t, Scheduled(host(t, scripts)).Incomplete)
}

func TestLinesThatABackslashContinuesAreOne(t *testing.T) {
	t.Parallel()

	require.Equal(t, []line{{1, "a"}, {2, "b c"}, {4, "d "}}, logicalLines("a\nb\\\nc\r\nd\\"))
	require.Empty(t, logicalLines(""))
}
