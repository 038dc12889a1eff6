package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/fakeplugin"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// keysVariable gives the list of keys that this binary prints when it is asked as a plugin for people.
const keysVariable = "DEMO_TEST_KEYS"

func TestMain(m *testing.M) {
	fakeplugin.Main()
	if len(os.Args) == 3 && os.Args[1] == "list-keys" {
		fmt.Println(os.Getenv(keysVariable))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func demo(t *testing.T, keys string) (string, error) {
	path, err := os.Executable()
	require.NoError(t, err)
	t.Setenv(keysVariable, keys)
	var out bytes.Buffer
	err = run(context.Background(), []string{path}, &out)
	return out.String(), err
}

// changing is what differs from run to run: versions, ports and times, with the spaces that align them.
var changing = regexp.MustCompile(`\.\d+ on 127\.0\.0\.1:\d+| +\d+\.\d ms| {2,}took`)

func TestBothAgentsShowWhatTheyAnswer(t *testing.T) {
	out, err := demo(t, `[{"key":"hosting.echo","example":"hosting.echo[a,b]"},
		{"key":"hosting.echo","example":"hosting.echo[\"fail: open /proc/slabinfo: permission denied\"]"}]`)
	require.NoError(t, err)
	out = regexp.MustCompile(`(?m)^ +`).ReplaceAllString(changing.ReplaceAllString(out, " ~"), "  ")
	out = strings.ReplaceAll(strings.ReplaceAll(out, "Fail", "fail"), "denied.", "denied")
	one := `Zabbix agent VERSION ~

  item key ~  value
  hosting.echo[a,b] ~  a b
- hosting.echo["fail: open /proc/slabinfo: permission denied"] ~  fail: open /proc/slabinfo:
  permission denied

1 of 2 keys answered, 1 (-) lack permission

`
	require.Equal(t, strings.ReplaceAll(one, "VERSION", "6.0")+strings.ReplaceAll(one, "VERSION", "7.0"), out)
}

func TestAKeyThatFailsFailsTheDemo(t *testing.T) {
	out, err := demo(t, `[{"key":"hosting.echo","example":"hosting.echo[fail]"}]`)
	require.EqualError(t, err, "cannot get 2 values; the lines marked with ! say why and what mends it")
	require.Equal(t, 2, strings.Count(out, "! hosting.echo[fail]"))
	require.Equal(t, 2, strings.Count(out, "0 of 1 keys answered, 1 (!) failed"))
}

func TestAPluginThatCannotBeAskedForItsKeys(t *testing.T) {
	_, err := demo(t, `[]`)
	require.ErrorContains(t, err, "cannot show any key")
	_, err = demo(t, `usage: plugin`)
	require.ErrorContains(t, err, "cannot understand the list-keys of ")
	require.ErrorContains(t, run(context.Background(), []string{"none"}, nil), "cannot learn the keys of "+filepath.Join(filepath.Dir(mustAbs(t)), "none"))
	require.EqualError(t, run(context.Background(), nil, nil), "cannot tell which plugin to show; usage: demo PLUGIN-BINARY")
}

func mustAbs(t *testing.T) string {
	path, err := filepath.Abs("x")
	require.NoError(t, err)
	return path
}

func TestAnInterruptionStopsTheAgent(t *testing.T) {
	path, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = show(ctx, zabbixagent.Options{Version: zabbixagent.V70, Plugin: path}, []key{{"k", "k"}})
	require.EqualError(t, err, "cannot show all keys: interrupted; run it again")
}

func TestTheTableIsAlignedAndFits(t *testing.T) {
	table := answers{title: "Zabbix agent 7.0.9"}
	table.add("hosting.memory.get", `{"schema":1,"total_bytes":8255406080,"kernel":{"a":1,"b":2},"note":"größer","list":[1,2,3],"pct":1.5,"none":null,"long":"`+strings.Repeat("x", 99)+`"}`, nil, 1234*time.Microsecond)
	table.add("hosting.slab.discovery[5]", `[{"{#CACHE}":"dentry"},{"{#CACHE}":"filp"}]`, nil, 12345*time.Microsecond)
	table.add("hosting.slab.top", "cache  size\ndentry 1 MiB\nfilp 2 MiB\n", nil, time.Millisecond)
	table.add("hosting.slab.get", "", &zabbixagent.NotSupported{Reason: "Cannot read /proc/slabinfo: permission denied; run: setcap cap_dac_read_search+p /usr/sbin/plugin."}, time.Millisecond)
	table.add("hosting.oom.get", "", errors.New("cannot get hosting.oom.get: timeout"), 10*time.Second)
	var out bytes.Buffer
	require.NoError(t, table.print(&out))
	require.Equal(t, `Zabbix agent 7.0.9

  item key                         took  value
  hosting.memory.get             1.2 ms  total 7.7 GiB, kernel {2}, note größer, list [3], pct 1.5…
  hosting.slab.discovery[5]     12.3 ms  [2] {#CACHE} dentry
  hosting.slab.top               1.0 ms  cache size (and 2 more lines)
- hosting.slab.get               1.0 ms  Cannot read /proc/slabinfo: permission denied; run: setcap
                                         cap_dac_read_search+p /usr/sbin/plugin.
! hosting.oom.get            10000.0 ms  cannot get hosting.oom.get: timeout

3 of 5 keys answered, 1 (-) lack permission, 1 (!) failed

`, out.String())
}

func TestSummary(t *testing.T) {
	for name, test := range map[string]struct{ value, want string }{
		"nothing":                 {"", ""},
		"a number":                {"12345", "12345"},
		"text that looks like it": {"{not JSON}", "{not JSON}"},
		"an empty object":         {"{}", "{0}"},
		"an empty array":          {"[]", "[0]"},
		"large numbers stay":      {`{"count":9007199254740993}`, "count 9007199254740993"},
		"units come from names":   {`{"schema":1,"read_at":1.5,"slab_bytes":1048576,"kernel_pct":12.25,"lost_bytes":null}`, "slab 1.0 MiB, kernel 12.2 %, lost_bytes null"},
		"an array of numbers":     {"[1,2]", "[2] 1"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, summary(test.value)) })
	}
}
