package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// agentFile writes an agent's configuration with lines below Plugins.Hosting.Sites.
func agentFile(t *testing.T, lines ...string) string {
	t.Helper()

	text := "Server=127.0.0.1\nPlugins.Redis.Sessions.a.Uri=tcp://x\nInclude=./sites/*.conf\n"
	path := filepath.Join(t.TempDir(), "zabbix_agent2.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(filepath.Dir(path), "sites"), 0o755))

	for i, line := range lines {
		lines[i] = "Plugins.Hosting.Sites." + line + "\n"
	}

	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "sites", "hosting.conf"), []byte(strings.Join(lines, "")), 0o644))

	return path
}

func TestSiteShowsPhasesAndReason(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		behavior badsite.Behavior
		status   int
		want     []string
	}{
		"a page":  {badsite.OK(), exitOK, []string{"connect", "total", "ok, status 200, HTTP/1.1"}},
		"a reset": {badsite.Stolen(), exitFailed, []string{"reset_before_response\n", "another process"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			url := badsite.StartT(t, test.behavior).URL()
			file := agentFile(t, "shop.URL="+url)

			for _, what := range [][]string{{url}, {"shop", "--config", file}} {
				status, out, errOut := run(t, append([]string{"site"}, what...)...)
				require.Equal(t, test.status, status, errOut)
				require.Empty(t, errOut)

				for _, want := range test.want {
					require.Contains(t, out, want)
				}
			}
		})
	}
}

func TestSiteWithoutANameShowsAll(t *testing.T) {
	t.Parallel()

	good := badsite.StartT(t, badsite.OK()).URL()
	bad := badsite.StartT(t, badsite.Stolen()).URL()
	odd := "odd.URL=" + good
	source := "odd.Source=192.0.2.1" // TEST-NET-1, which no host has

	for name, test := range map[string]struct {
		lines  []string
		status int
		want   []string
	}{
		"all well":                      {[]string{"shop.URL=" + good}, exitOK, []string{"\nshop  ok      200 "}},
		"one down":                      {[]string{"shop.URL=" + good, "blog.URL=" + bad}, exitFailed, []string{"\nblog  reset_before_response  - ", "another process", "\nshop  ok "}},
		"one that cannot be tested":     {[]string{"shop.URL=" + good, odd, source}, exitNotTested, []string{"\nodd   local_error  - ", "\nshop  ok "}},
		"one down and one not testable": {[]string{"blog.URL=" + bad, odd, source}, exitFailed, []string{"\nodd   local_error ", "\nblog  reset_before_response "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			file := agentFile(t, test.lines...)
			status, out, errOut := run(t, "site", "--config", file)
			require.Equal(t, test.status, status, errOut)
			require.Empty(t, errOut)
			require.Regexp(t, "^site +reason +status +total +wait +sentence\n", out)

			for _, want := range test.want {
				require.Contains(t, out, want)
			}

			status, out, errOut = run(t, "site", "--json", "--config", file)
			require.Equal(t, test.status, status, errOut)

			var decoded struct {
				Schema int
				Sites  []struct {
					Site   string
					Reason *site.Reason
					TotalS float64 `json:"total_s"`
				}
			}

			require.NoError(t, json.Unmarshal([]byte(out), &decoded))
			require.Equal(t, 1, decoded.Schema)
			require.NotEmpty(t, decoded.Sites)
			require.NotEmpty(t, decoded.Sites[0].Site)
			require.NotNil(t, decoded.Sites[0].Reason)
			require.Positive(t, decoded.Sites[0].TotalS)
		})
	}
}

func TestSitesOptionsAndFlagsReachTheRequest(t *testing.T) {
	t.Parallel()

	server := badsite.StartT(t, badsite.OK())
	file := agentFile(t,
		"elsewhere.URL=http://shop.example/", "elsewhere.Connect="+server.Addr(),
		"forbidden.URL="+server.URL(), "forbidden.BodyForbid="+badsite.Pattern,
		"slow.URL="+badsite.StartT(t, badsite.SilentAfterRequest()).URL(), "slow.Timeout=1m")

	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"the configured address": {[]string{"elsewhere"}, exitOK, "\nok, status 200"},
		"another address":        {[]string{"elsewhere", "--connect", "127.0.0.1:1"}, exitFailed, "\nconnect_refused"},
		"a pattern":              {[]string{"forbidden"}, exitFailed, "\nbody_forbidden"},
		"another timeout":        {[]string{"slow", "--timeout", "150ms"}, exitFailed, "within 150ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			status, out, errOut := run(t, append([]string{"site", "--config", file}, test.args...)...)
			require.Equal(t, test.status, status, errOut)
			require.Contains(t, out, test.want)
		})
	}
}

func TestSiteSaysWhyItHasNone(t *testing.T) {
	t.Parallel()

	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("s%02d.URL=http://127.0.0.1/", i))
	}

	some := agentFile(t, many...)
	none := agentFile(t)
	wrong := agentFile(t, "shop.URL=http://127.0.0.1/", "shop.Interval=1ms")

	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no file":       {[]string{"--config", none + "x"}, exitNotTested, "cannot read " + none + "x: there is no such file; name the agent's configuration file with --config\n"},
		"no site":       {[]string{"--config", none}, exitNotTested, "cannot find a test site: " + none + " and the files that it includes configure none; add a line such as Plugins.Hosting.Sites.shop.URL=https://shop.example/, or give a URL\n"},
		"unknown name":  {[]string{"shop", "--config", some}, exitUsage, `cannot report on "shop": unknown site; use one of the configured sites: s00, s01, `},
		"capped names":  {[]string{"shop", "--config", some}, exitUsage, "s19 and 10 more\n"},
		"wrong options": {[]string{"shop", "--config", wrong}, exitNotTested, "cannot use option Plugins.Hosting.Sites.shop.Interval=1ms (line 2)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			status, out, errOut := run(t, append([]string{"site"}, test.args...)...)
			require.Equal(t, test.status, status)
			require.Contains(t, errOut, test.want)
			require.Equal(t, 1, strings.Count(errOut, "\n"), "one line: %s", errOut)
			require.Empty(t, out)
		})
	}
}
