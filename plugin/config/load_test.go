package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

const nobody = 65534

// folder writes files below a folder that anybody may enter.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()

	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))

	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DIR", dir)), 0o644))
	}

	return dir
}

// The files as Debian's packages install them: with options of the agent and of other plugins, and relative Include= lines.
func TestLoadReadsWhatAPackagedAgentReads(t *testing.T) {
	t.Parallel()

	for _, version := range zabbixagent.Versions() {
		t.Run("agent "+string(version), func(t *testing.T) {
			t.Parallel()

			packaged, err := builddir.Path("agents", string(version), "etc", "zabbix")
			require.NoError(t, err)

			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(packaged)))

			file := filepath.Join(dir, "zabbix_agent2.conf")
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "=/etc/zabbix/", "="+dir+"/")), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "zabbix_agent2.d", "plugins.d", "hosting.conf"), []byte(
				"Plugins.Hosting.System.Path=/usr/sbin/x\nPlugins.Hosting.SlabHistory=2h\nPlugins.Hosting.Sites.shop.URL=https://shop.example/\n"), 0o644))

			options, err := Load(file)
			require.NoError(t, err)
			require.Equal(t, 2*time.Hour, options.SlabHistory)
			require.Len(t, options.Sites, 1)
			require.Equal(t, "https://shop.example/", options.Sites[0].Target.URL.String())
		})
	}
}

func TestLoadTakesEachSiteFromWhereverItStands(t *testing.T) {
	t.Parallel()

	dir := folder(t, map[string]string{
		"agent.conf": "Server=127.0.0.1\n# Plugins.Hosting.Sites.off.URL=x\nPlugins.Redis.Sessions.a.Uri=x\nInclude=DIR/a/*.conf\nInclude=./b.conf\n" +
			"Plugins.Hosting.Sites.main.URL = http://main.example/\n",
		"a/1.conf": "Plugins.Hosting.Sites.blog.URL=http://blog.example/\r\nPlugins.Hosting.Sites.blog.Resolver=127.0.0.1:53\n",
		"a/2.conf": "Plugins.Hosting.Sites.blog.Connect=127.0.0.1:80\nPlugins.Hosting.Sites.blog.BodyForbid=a=b #c\nInclude=c/deep.conf\n",
		"a/3.txt":  "Plugins.Hosting.Sites.nosuch.URL=http://nosuch.example/\n",
		"b.conf":   "Plugins.Hosting.Sites.blog.Interval=1s\n",
		// A relative path is relative to the main file, wherever it is named.
		"c/deep.conf": "Plugins.Hosting.Sites.blog.Header=X-A: 1\nPlugins.Hosting.Sites.blog.Header=X-A: 2",
	})

	options, err := Load(filepath.Join(dir, "agent.conf"))
	require.NoError(t, err)
	require.Len(t, options.Sites, 2)

	blog := options.Sites[0]
	require.Equal(t, "blog", blog.Name)
	require.Equal(t, time.Second, blog.Interval)
	require.Equal(t, "127.0.0.1:53", blog.Target.Resolver)
	require.Equal(t, "127.0.0.1:80", blog.Target.Connect)
	require.Equal(t, "a=b #c", blog.Target.BodyForbid.String())
	require.Equal(t, []string{"1", "2"}, blog.Target.Header["X-A"])
	require.Equal(t, "main", options.Sites[1].Name)
}

func TestLoadOfAFileWithoutThisPluginGivesTheDefaults(t *testing.T) {
	t.Parallel()

	dir := folder(t, map[string]string{"agent.conf": "Server=127.0.0.1\n", "empty.conf": "", "other.conf": "Plugins.Redis.Sessions.a.Uri=x\n"})

	for _, name := range []string{"agent.conf", "empty.conf", "other.conf"} {
		options, err := Load(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, Defaults(), options)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()

	dir := folder(t, map[string]string{
		"option.conf":   "Plugins.Hosting.Sites.shop.URL=shop.example\n",
		"line.conf":     "Server=127.0.0.1\nthis is no option\n",
		"loop.conf":     "Include=DIR/loop.conf\n",
		"nosuch.conf":   "Include=DIR/nosuch/x.conf\n",
		"included.conf": "Include=DIR/line.conf\n",
		"dash.conf":     "Plugins.Hosting.Sites.shop-1.URL=http://shop.example/\n",
	})
	large := filepath.Join(dir, "large.conf")
	require.NoError(t, os.WriteFile(large, nil, 0o644))
	require.NoError(t, os.Truncate(large, maxAgentFile+1))

	for name, test := range map[string]struct{ file, want string }{
		"a file that is not there": {"nosuch", "cannot read DIR/nosuch: there is no such file; name the agent's configuration file with --config"},
		"a folder":                 {"", "cannot read DIR/: it is not a file; name the agent's configuration file with --config"},
		"a file that is too large": {"large.conf", "cannot read DIR/large.conf: it has more than 16777216 bytes"},
		"a wrong option": {
			"option.conf", "cannot use DIR/option.conf or a file that it includes: cannot use option Plugins.Hosting.Sites.shop.URL=shop.example (line 1): " +
				"allowed is an absolute http or https URL (cannot request \"shop.example\": its scheme is not http or https; write it as https://host/path); lines count within each file",
		},
		"a name with a dash":            {"dash.conf", "invalid character '-' at position 27; a name has letters, digits and _ only"},
		"a line that is no option":      {"line.conf", "cannot read DIR/line.conf: cannot parse configuration at line 2: missing assignment operator"},
		"a line in a file below":        {"included.conf", `cannot include "DIR/line.conf": cannot parse configuration at line 2`},
		"a file that includes itself":   {"loop.conf", "include depth exceeded limits"},
		"a file below is not there":     {"nosuch.conf", `cannot include "DIR/nosuch/x.conf": stat DIR/nosuch/x.conf: no such file or directory`},
		"a folder that is not a folder": {"line.conf/x", "cannot read the agent's configuration: stat DIR/line.conf/x: not a directory"},
	} {
		_, err := Load(dir + "/" + test.file)
		require.ErrorContains(t, err, strings.ReplaceAll(test.want, "DIR", dir), name)
	}
}

// asOrdinaryUser runs f on a thread for which files are those of an ordinary user, setfsuid(2). The thread ends with it.
func asOrdinaryUser(t *testing.T, f func()) {
	t.Helper()

	if os.Geteuid() != 0 {
		f()

		return
	}

	done := make(chan error)

	go func() {
		runtime.LockOSThread()

		err := unix.Setfsuid(nobody)
		if err == nil {
			f()
		}
		done <- err
	}()

	require.NoError(t, <-done)
}

func TestLoadSaysWhoMayRead(t *testing.T) {
	t.Parallel()

	const site = "Plugins.Hosting.Sites.shop.URL=http://shop.example/\n"

	dir := folder(t, map[string]string{"closed.conf": site, "grouped.conf": site, "below.conf": "Include=DIR/closed.conf\n", "folder/agent.conf": site})
	require.NoError(t, os.Chmod(filepath.Join(dir, "closed.conf"), 0o200))
	require.NoError(t, os.Chmod(filepath.Join(dir, "grouped.conf"), 0o040))

	group := os.Getgid()
	if os.Geteuid() == 0 {
		// The thread stays a member of root's groups.
		group = nobody
	}

	require.NoError(t, os.Chown(filepath.Join(dir, "grouped.conf"), -1, group))
	require.NoError(t, os.Chmod(filepath.Join(dir, "folder"), 0o600))
	// Without this an ordinary user cannot remove it.
	t.Cleanup(func() { require.NoError(t, os.Chmod(filepath.Join(dir, "folder"), 0o700)) })

	owner := userName(strconv.Itoa(os.Getuid()))

	for file, want := range map[string]string{
		"closed.conf":       "closed.conf: permission denied (mode 0200, user " + owner + ", group ",
		"grouped.conf":      "run as root or as a member of group ",
		"below.conf":        "closed.conf: permission denied; run as root or as the agent's user",
		"folder/agent.conf": "agent.conf: its folder is closed to user ",
	} {
		var err error

		asOrdinaryUser(t, func() { _, err = Load(filepath.Join(dir, file)) })
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "run as root")
	}
}
