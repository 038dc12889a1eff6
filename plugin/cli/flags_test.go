package cli

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

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
			"cannot run slab: flag provided but not defined: -bogus; see zabbix-agent2-plugin-hosting slab -h\n",
		},
		"an argument too many": {[]string{"memory", "x"}, exitUsage, "cannot run memory: it takes 0 argument(s), not 1"},
		"an argument too few":  {[]string{"get"}, exitUsage, "cannot run get: it takes 1 argument(s), not 0"},
		"an unknown order":     {[]string{"slab", "--sort", "weight"}, exitUsage, `cannot sort by "weight": sort by size, growth or objects`},
		"no caches":            {[]string{"slab", "-n", "0"}, exitUsage, "cannot use -n 0: allowed is a whole number from 1 to 1000; see zabbix-agent2-plugin-hosting slab -h\n"},
		"a word for a number":  {[]string{"slab", "-n", "x"}, exitUsage, "cannot use -n x: allowed is a whole number from 1 to 1000"},
		// It panicked.
		"fewer than no owners":             {[]string{"slab", "owners", "-n", "-1"}, exitUsage, "cannot use -n -1: allowed is a whole number from 1 to 1000"},
		"more owners than are kept":        {[]string{"slab", "owners", "-n", "101"}, exitUsage, "cannot use -n 101 with owners: allowed is a whole number from 1 to 100"},
		"owners that are watched":          {[]string{"slab", "owners", "--watch"}, exitUsage, "cannot use --watch with owners"},
		"owners in an order":               {[]string{"slab", "--sort", "size", "owners"}, exitUsage, "cannot use --sort with owners"},
		"a session without owners":         {[]string{"slab", "--for", "30s"}, exitUsage, "cannot use --for without owners"},
		"a session without a unit":         {[]string{"slab", "owners", "--for", "30"}, exitUsage, "cannot use --for 30: it needs a unit, such as 30s (5s to 2m)"},
		"a command that is not there":      {[]string{"help", "slabs"}, exitUsage, "cannot run \"slabs\": there is no such command"},
		"an argument too many among flags": {[]string{"memory", "--json", "x", "y"}, exitUsage, "cannot run memory: it takes 0 argument(s), not 2"},
		"two sites":                        {[]string{"site", "a", "--json", "b"}, exitUsage, "cannot run site: it takes 0 to 1 argument(s), not 2"},
		"a malformed URL":                  {[]string{"site", "ftp://shop.example/"}, exitUsage, `cannot request "ftp://shop.example/": its scheme is not http or https`},
		"neither a site nor a URL": {
			[]string{"site", "shop.example"}, exitUsage,
			`cannot request "shop.example": it is neither a URL, such as https://shop.example/, nor a site's name, which has letters, digits and _ only`,
		},
		"an address without a port":   {[]string{"site", "--connect", "127.0.0.1", "http://x/"}, exitUsage, `cannot connect to "127.0.0.1": it is not a host and a port`},
		"a timeout too short":         {[]string{"site", "--timeout", "5ms", "http://x/"}, exitUsage, "cannot use --timeout 5ms: allowed is a time from 100ms to 1m"},
		"an interval too long":        {[]string{"site", "--watch", "--interval", "2h", "http://x/"}, exitUsage, "cannot use --interval 2h: allowed is a time from 200ms to 1h"},
		"an interval for one request": {[]string{"site", "--interval", "2s", "http://x/"}, exitUsage, "cannot use --interval without --watch"},
		"an unknown verb":             {[]string{"nginx", "reload"}, exitUsage, "cannot run nginx reload: there are only status and test"},
		"a test of nothing":           {[]string{"nginx", "test", "--binary", "/x"}, exitUsage, "cannot run nginx test: it needs --binary and --config"},
		"a program without a test":    {[]string{"nginx", "--binary", "/x"}, exitUsage, "--binary, --config and --prefix are for nginx test"},
		"a test without a time":       {[]string{"nginx", "--timeout", "1ms"}, exitUsage, "cannot use --timeout 1ms: allowed is a time from 1s to 10m"},
		"a time without a unit":       {[]string{"nginx", "--timeout", "60"}, exitUsage, "cannot use --timeout 60: it needs a unit, such as 60s (1s to 10m); see zabbix-agent2-plugin-hosting nginx -h\n"},
		"a time too long in seconds":  {[]string{"nginx", "--timeout", "6000"}, exitUsage, "cannot use --timeout 6000: allowed is a time from 1s to 10m"},
		"a program without its path":  {[]string{"nginx", "test", "--binary", "nginx", "--config", "/x"}, exitUsage, "cannot use --binary nginx: give the program's absolute path"},
		"options of an agent in vain": {[]string{"nginx", "test", "--binary", "/x", "--config", "/x", "--agent-config", "/y"}, exitUsage, "--agent-config is for nginx status"},
		"a port that there is not":    {[]string{"listeners", "--port", "70000"}, exitUsage, "cannot use --port 70000: allowed is a whole number from 1 to 65535"},
		"a port below all":            {[]string{"listeners", "--port", "-1"}, exitUsage, "cannot use --port -1: allowed is a whole number from 1 to 65535"},
		"a port that is watched":      {[]string{"listeners", "--port", "80", "--watch"}, exitUsage, "cannot use --port with --watch"},
		"an unknown verb of slab":     {[]string{"slab", "leaks"}, exitUsage, "cannot run slab leaks: there is only owners"},
		"a session too short":         {[]string{"slab", "owners", "--for", "1s"}, exitUsage, "cannot use --for 1s: allowed is a time from 5s to 2m"},
		"a malformed key":             {[]string{"get", "hosting.slab.get[5"}, exitUsage, "the closing bracket is missing"},
		"an unknown key":              {[]string{"get", "agent.ping"}, exitUsage, "cannot evaluate agent.ping: there is no such key; see list-keys"},
		"a wrong parameter": {
			[]string{"get", "hosting.memory.sunreclaim[percent]"}, exitUsage,
			`cannot evaluate hosting.memory.sunreclaim: invalid first parameter "mode": "percent" is not one of bytes, pused; ` +
				"usage: hosting.memory.sunreclaim[<mode>]; see zabbix-agent2-plugin-hosting get -h\n",
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

func TestATimeIsShownWithoutThePartsThatAreZero(t *testing.T) {
	t.Parallel()

	for want, d := range map[string]time.Duration{
		"100ms": 100 * time.Millisecond, "30s": 30 * time.Second, "1m": time.Minute, "1m30s": 90 * time.Second, "10m": 10 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute,
	} {
		require.Equal(t, want, short(d))
	}
}
