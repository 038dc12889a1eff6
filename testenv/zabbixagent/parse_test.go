package zabbixagent

import (
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func owner(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

func TestParseLdd(t *testing.T) {
	for name, test := range map[string]struct {
		output  string
		missing []string
		tooOld  string
	}{
		"all there": {output: "\tlinux-vdso.so.1 (0x00007)\n\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007)\n"},
		"two missing": {
			output:  "\tlibpcre2-8.so.0 => not found\n\tlibz.so.1 => /lib/libz.so.1 (0x1)\n\tlibsqlite3.so.0 => not found\n",
			missing: []string{"libpcre2-8.so.0", "libsqlite3.so.0"},
		},
		"an old C library": {
			output: "zabbix_agent2: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by zabbix_agent2)\n\tlibz.so.1 => /lib/libz.so.1 (0x1)\n",
			tooOld: "GLIBC_2.34 is missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			missing, tooOld := parseLdd(test.output)
			require.Equal(t, test.missing, missing)
			require.Equal(t, test.tooOld, tooOld)
		})
	}
}

func TestParseStat(t *testing.T) {
	const rest = " 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 5 6 7"
	for name, test := range map[string]struct {
		stat string
		want process
		ok   bool
	}{
		"a name with spaces and parentheses": {"9 (a) R (b) S 7" + rest[2:], process{pid: 9, parent: 7, start: "777"}, true},
		"a zombie is no process":             {stat: "9 (a) Z 7" + rest},
		"a short line":                       {stat: "9 (a) S 7"},
		"nothing":                            {},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseStat(9, test.stat)
			require.Equal(t, test.ok, ok)
			if ok {
				require.Equal(t, test.want, got)
			}
		})
	}
}

func TestTheProcessTableHasThisProcessAndItsParent(t *testing.T) {
	self, ok := readProcess(os.Getpid())
	require.True(t, ok)
	require.Equal(t, os.Getppid(), self.parent)
	require.True(t, self.alive())
	require.False(t, process{pid: self.pid, start: "0"}.alive())
	require.Contains(t, descendants(processes(), os.Getppid()), self)
	require.True(t, self.runs(os.Args[0]))
}

func TestTheConfigurationSharesNothingBetweenAgents(t *testing.T) {
	options := Options{Version: V60, Plugin: "/p", Timeout: 5, Lines: []string{"Plugins.Hosting.A=b"}}.withDefaults()
	require.Equal(t, `Hostname=testenv
Server=127.0.0.1
ListenIP=127.0.0.1
ListenPort=1234
PidFile=/run/agent.pid
LogFile=/run/log
LogFileSize=0
ControlSocket=/run/control
PluginSocket=/run/plugin
Timeout=5
DebugLevel=3
Plugins.Hosting.System.Path=/p
Plugins.Hosting.A=b
`, options.conf("/run", 1234))
}
