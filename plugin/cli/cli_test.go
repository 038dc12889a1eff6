package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
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

func TestCommandsPrint(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		args []string
		want []string
	}{
		"help without a command":       {nil, []string{"zabbix-agent2-plugin-hosting 1.2.3", "slab [owners [--for TIME]|[--watch]", "COMMAND -h", "Exit status: 0 done; 1 ", "Plugins.Hosting.System.Path"}},
		"help as an option":            {[]string{"-h"}, []string{"what it prints"}},
		"help of a command":            {[]string{"slab", "-h"}, []string{"usage: zabbix-agent2-plugin-hosting slab [owners [--for TIME]|[--watch]", "-n N", "--sort WHAT"}},
		"help of a command, in words":  {[]string{"help", "get"}, []string{"usage: zabbix-agent2-plugin-hosting get KEY", "ask the agent", "--config FILE", "Exit status: 0 it has a value"}},
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

func TestColorIsForTerminals(t *testing.T) {
	t.Parallel()

	a := app{color: true}
	require.Equal(t, "\x1b[32mok\x1b[0m  a\n\x1b[31mNO\x1b[0m  b\nother\n", a.paintMarks("ok  a\nNO  b\nother\n"))
	require.Equal(t, "\x1b[1mhead\x1b[0m\nbody\n", a.heading("head\nbody\n"))
	require.Equal(t, "ok  a\n", (&app{}).paintMarks("ok  a\n"))
}
