package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/keys"
	"zabbix-agent2-plugin-hosting/testenv/child"
)

// evaluation is one that a plugin is asked for.
type evaluation struct {
	Key        string
	Parameters []string
}

// evaluated is what came of it.
type evaluated struct {
	Value string
	Error string
	Took  time.Duration
}

// bePlugin evaluates what it is asked for on its standard input.
func bePlugin(socket string) int {
	options := config.Defaults()
	options.HelperSocket = socket
	checks := keys.NewChecks(options, nil, "1.2.3-test")
	out := json.NewEncoder(os.Stdout)

	for in := json.NewDecoder(os.Stdin); ; {
		var e evaluation
		if in.Decode(&e) != nil {
			return 0
		}

		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		begun := time.Now()
		value, err := checks.Evaluate(ctx, e.Key, e.Parameters)
		result := evaluated{Value: value, Took: time.Since(begun)}

		cancel()

		if err != nil {
			result.Error = err.Error()
		}

		_ = out.Encode(result)
	}
}

// plugin is a process that evaluates keys.
type plugin struct {
	in  *json.Encoder
	out *json.Decoder
}

// startPlugin starts one that asks at a socket where it is not root.
func startPlugin(tb testing.TB, socket string, uid uint32) *plugin {
	tb.Helper()

	// Opened, because an ordinary user could not reach the directory.
	own, err := os.Open("/proc/self/exe")
	require.NoError(tb, err)

	defer own.Close()

	cmd := exec.Command("/proc/self/fd/3", socket)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), asPlugin+"=1")
	cmd.ExtraFiles = []*os.File{own}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	if uid != uint32(os.Geteuid()) {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	}

	in, err := cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)

	exited, err := child.Start(cmd)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		<-exited
	})

	return &plugin{json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))}
}

func (p *plugin) evaluate(tb testing.TB, e evaluation) evaluated {
	tb.Helper()

	var result evaluated

	require.NoError(tb, p.in.Encode(e))
	require.NoError(tb, p.out.Decode(&result))
	require.Empty(tb, result.Error, fmt.Sprint(e))

	return result
}

// TestThePluginOfAnOrdinaryUserHasTheValuesOfRoot compares what both find, where the tests are run by root.
func TestThePluginOfAnOrdinaryUserHasTheValuesOfRoot(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		require.Empty(t, startPlugin(t, "", uint32(os.Geteuid())).evaluate(t, evaluation{Key: "hosting.memory.get"}).Error)

		return
	}

	_, s := start(t)
	ordinary, root := startPlugin(t, s.path, nobody), startPlugin(t, "/none", 0)

	for _, key := range []string{"hosting.slab.discovery", "hosting.oom.get", "hosting.nginx.discovery"} {
		got, want := ordinary.evaluate(t, evaluation{Key: key}), root.evaluate(t, evaluation{Key: key})
		require.NotEmpty(t, want.Value)
		require.Len(t, decoded(t, got.Value), len(decoded(t, want.Value)), "%s: %s", key, got.Value)
	}
}

// decoded is a list or an object of JSON as a list.
func decoded(t *testing.T, text string) (list []any) {
	t.Helper()

	var value any

	require.NoError(t, json.Unmarshal([]byte(text), &value))

	switch v := value.(type) {
	case []any:
		return v
	case map[string]any:
		for name := range v {
			list = append(list, name)
		}
	}

	return list
}
