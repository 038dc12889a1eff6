package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/keys"
)

// run executes a command line and returns what a person sees.
func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()

	file, err := os.CreateTemp(t.TempDir(), "out")
	require.NoError(t, err)

	defer file.Close()

	var errors bytes.Buffer

	status = Run(args, "1.2.3", file, &errors)
	_, err = file.Seek(0, io.SeekStart)
	require.NoError(t, err)

	text, err := io.ReadAll(file)
	require.NoError(t, err)

	return status, string(text), errors.String()
}

func TestWrongCommandLinesSayWhatIsWrong(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		args   []string
		status int
		want   string
	}{
		"an unknown command": {
			[]string{"slabs"}, exitUsage,
			"cannot run \"slabs\": there is no such command; see `zabbix-agent2-plugin-hosting help`\n",
		},
		"an unknown flag": {
			[]string{"slab", "--bogus"}, exitUsage,
			"cannot run slab: flag provided but not defined: -bogus; see `zabbix-agent2-plugin-hosting help`\n",
		},
		"an argument too many":             {[]string{"memory", "x"}, exitUsage, "cannot run memory: it takes 0 argument(s), not 1"},
		"an argument too few":              {[]string{"get"}, exitUsage, "cannot run get: it takes 1 argument(s), not 0"},
		"an unknown order":                 {[]string{"slab", "--sort", "weight"}, exitUsage, `cannot sort by "weight": sort by size, growth or objects`},
		"no caches":                        {[]string{"slab", "-n", "0"}, exitFailed, "cannot list 0 caches: ask for 1 to 1000"},
		"an argument too many among flags": {[]string{"memory", "--json", "x", "y"}, exitUsage, "cannot run memory: it takes 0 argument(s), not 2"},
		"two sites":                        {[]string{"site", "a", "--json", "b"}, exitUsage, "cannot run site: it takes 0 to 1 argument(s), not 2"},
		"a malformed URL":                  {[]string{"site", "ftp://shop.example/"}, exitUsage, `cannot request "ftp://shop.example/": its scheme is not http or https`},
		"neither a site nor a URL": {
			[]string{"site", "shop.example"}, exitUsage,
			`cannot request "shop.example": it is neither a URL, such as https://shop.example/, nor a site's name, which has letters, digits and _ only`,
		},
		"an address without a port":   {[]string{"site", "--connect", "127.0.0.1", "http://x/"}, exitUsage, `cannot connect to "127.0.0.1": it is not a host and a port`},
		"a timeout too short":         {[]string{"site", "--timeout", "5ms", "http://x/"}, exitUsage, "cannot use --timeout 5ms: allowed is a time from 100ms to 1m"},
		"an interval too long":        {[]string{"site", "--watch", "--interval", "2h", "http://x/"}, exitUsage, "cannot use --interval 2h0m0s: allowed is a time from 200ms to 1h"},
		"an interval for one request": {[]string{"site", "--interval", "2s", "http://x/"}, exitUsage, "cannot use --interval without --watch"},
		"an unknown verb":             {[]string{"nginx", "reload"}, exitUsage, "cannot run nginx reload: there are only status and test"},
		"a test of nothing":           {[]string{"nginx", "test", "--binary", "/x"}, exitUsage, "cannot run nginx test: it needs --binary and --config"},
		"a program without a test":    {[]string{"nginx", "--binary", "/x"}, exitUsage, "--binary, --config and --prefix are for nginx test"},
		"a test without a time":       {[]string{"nginx", "--timeout", "1ms"}, exitUsage, "--timeout=1ms; allowed is a time from 1s to 10m"},
		"a port that there is not":    {[]string{"listeners", "--port", "70000"}, exitUsage, "--port=70000; allowed is a number from 1 to 65535"},
		"an unknown verb of slab":     {[]string{"slab", "leaks"}, exitUsage, "cannot run slab leaks: there is only owners"},
		"a session too short":         {[]string{"slab", "owners", "--for", "1s"}, exitFailed, "allowed is a time from 5s to 2m0s"},
		"a malformed key":             {[]string{"get", "hosting.slab.get[5"}, exitFailed, "the closing bracket is missing"},
		"an unknown key":              {[]string{"get", "agent.ping"}, exitFailed, "cannot evaluate agent.ping: there is no such key; see list-keys"},
		"a wrong parameter": {
			[]string{"get", "hosting.memory.sunreclaim[percent]"}, exitFailed,
			`cannot evaluate hosting.memory.sunreclaim: invalid first parameter "mode": "percent" is not one of bytes, pused; ` +
				"usage: hosting.memory.sunreclaim[<mode>]\n",
		},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			status, out, errOut := run(t, test.args...)
			require.Equal(t, test.status, status)
			require.Contains(t, errOut, test.want)
			require.Equal(t, 1, strings.Count(errOut, "\n"), "one line: %s", errOut)
			require.Empty(t, out)
		})
	}
}

func TestCommandsPrint(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		args []string
		want []string
	}{
		"help without a command":       {nil, []string{"zabbix-agent2-plugin-hosting 1.2.3", "slab [owners [--for TIME]] [--watch]", "Plugins.Hosting.System.Path"}},
		"help as an option":            {[]string{"-h"}, []string{"what it prints"}},
		"help of a command":            {[]string{"slab", "-h"}, []string{"usage: zabbix-agent2-plugin-hosting slab [owners [--for TIME]] [--watch]", "-n N", "--sort WHAT"}},
		"help after an argument":       {[]string{"site", "shop", "-h"}, []string{"site [NAME|URL] [--watch]", "--connect HOST:PORT", "Exit status: 0 all"}},
		"the version":                  {[]string{"version"}, []string{"zabbix-agent2-plugin-hosting 1.2.3\n"}},
		"the version as agents ask it": {[]string{"-V"}, []string{"zabbix-agent2-plugin-hosting 1.2.3\n"}},
		"the keys":                     {[]string{"--list-keys"}, []string{"hosting.slab.get[<n>,<sort>]", "hosting.oom.get"}},
		"memory":                       {[]string{"memory"}, []string{"total", "slab, unreclaimable", "in no counter"}},
		"OOM kills":                    {[]string{"oom"}, []string{"OOM kills since 20"}},
		"the doctor":                   {[]string{"doctor"}, []string{"kernel memory", "slab caches", "OOM kills", "OOM victims", "listener watch", "slab owners", "slab by unit", "kmemleak"}},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			status, out, errOut := run(t, test.args...)
			require.Equal(t, exitOK, status, errOut)

			for _, want := range test.want {
				require.Contains(t, out, want)
			}

			require.NotContains(t, out, "\x1b", "no color where no terminal is")
		})
	}
}

func TestGetPrintsTheBareValue(t *testing.T) {
	t.Parallel()

	status, out, errOut := run(t, "get", "hosting.memory.sunreclaim[pused]")
	require.Equal(t, exitOK, status, errOut)
	require.Regexp(t, `^[0-9]+\.[0-9]{4}\n$`, out)
}

func TestDoctorNamesTheMendOnce(t *testing.T) {
	t.Parallel()

	require.Equal(t,
		finding{Name: "OOM victims", Found: "cannot read /dev/kmsg: operation not permitted", Mend: mendKmsg},
		broken("OOM victims", "cannot read /dev/kmsg: operation not permitted; set this or grant that", mendKmsg))
	require.Equal(t,
		finding{Name: "x", Found: "cannot do it: why; what mends it"}, broken("x", "cannot do it: why; what mends it", ""))
}

func TestJSONIsOneDocument(t *testing.T) {
	t.Parallel()

	for _, command := range []string{"memory", "oom", "doctor", "list-keys", "version"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()

			status, out, errOut := run(t, command, "--json")
			require.Equal(t, exitOK, status, errOut)
			require.True(t, json.Valid([]byte(out)), out)
		})
	}
}

func TestSlabPrintsOrSaysWhatIsMissing(t *testing.T) {
	t.Parallel()

	status, out, errOut := run(t, "slab", "-n", "3")
	if os.Getuid() != 0 {
		require.Equal(t, exitFailed, status)
		require.Contains(t, errOut, "cannot read /proc/slabinfo as this user: cannot ask the root helper")

		return
	}

	require.Equal(t, exitOK, status)
	require.Contains(t, out, "SUnreclaim")
	require.Contains(t, out, "merged with")
	require.Contains(t, out, "\n3  ")
	require.NotContains(t, out, "\n4  ")
}

func TestListedKeysAreAllOfThem(t *testing.T) {
	t.Parallel()

	_, out, _ := run(t, "list-keys", "--json")

	var listed []listedKey

	require.NoError(t, json.Unmarshal([]byte(out), &listed))
	require.Len(t, listed, len(keys.All()))
	require.Equal(t, listedKey{
		Key: "hosting.memory.sunreclaim", Usage: "hosting.memory.sunreclaim[<mode>]", Example: "hosting.memory.sunreclaim[bytes]",
		Description: "Slab memory that the kernel cannot reclaim (SUnreclaim), in bytes or percent of RAM.",
		Result:      keys.Number, Unit: "B or %",
		Parameters: []listedParameter{{"mode", "bytes, or percent of RAM", "bytes", "bytes, pused"}},
	}, listed[slices.IndexFunc(listed, func(k listedKey) bool { return k.Key == "hosting.memory.sunreclaim" })])
}

func TestFlagsMayFollowArguments(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"before":                          {[]string{"--json", "a", "b"}, []string{"a", "b"}},
		"after":                           {[]string{"a", "b", "--json"}, []string{"a", "b"}},
		"between":                         {[]string{"a", "--json", "b"}, []string{"a", "b"}},
		"none after two dashes is a flag": {[]string{"--json", "a", "--", "--b"}, []string{"a", "--b"}},
		"two dashes first":                {[]string{"--json", "--", "a", "--"}, []string{"a", "--"}},
	} {
		flags := flag.NewFlagSet("x", flag.ContinueOnError)
		asJSON := flags.Bool("json", false, "")

		require.NoError(t, parse(flags, test.args, 2), name)
		require.True(t, *asJSON, name)
		require.Equal(t, test.want, flags.Args(), name)
	}
}

func TestColorIsForTerminals(t *testing.T) {
	t.Parallel()

	a := app{color: true}
	require.Equal(t, "\x1b[32mok\x1b[0m  a\n\x1b[31mNO\x1b[0m  b\nother\n", a.paintMarks("ok  a\nNO  b\nother\n"))
	require.Equal(t, "\x1b[1mhead\x1b[0m\nbody\n", a.heading("head\nbody\n"))
	require.Equal(t, "ok  a\n", (&app{}).paintMarks("ok  a\n"))
}
