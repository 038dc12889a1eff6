package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	checks "zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// asNobody asks as an ordinary user, where the tests are run by root.
func asNobody(t *testing.T, s socket, r helper.Request) (answer []byte, err error) {
	t.Helper()

	client := clientOf(t, s)
	apart.AsNobody(t, func() {
		if r.Verb == helper.VerbSlabinfo {
			answer, err = client.Text(t.Context(), r, nil)
		} else {
			answer, err = client.JSON(t.Context(), r)
		}
	})

	return answer, err
}

func decode[T any](t *testing.T, s socket, r helper.Request) (value T) {
	t.Helper()

	answer, err := asNobody(t, s, r)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(answer, &value), "%s", answer)

	return value
}

// names are the first words of lines.
func names(text string) (all []string) {
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, " ")
		all = append(all, name)
	}

	return all
}

func TestAnOrdinaryUserGetsTheSlabCachesThatHeMayNotReadHimself(t *testing.T) {
	t.Parallel()

	_, s := start(t)
	answer, err := asNobody(t, s, helper.Request{Verb: helper.VerbSlabinfo})

	if os.Geteuid() != 0 {
		require.ErrorIs(t, err, fs.ErrPermission, "nor may the helper of an ordinary user")

		return
	}

	require.NoError(t, err)

	apart.AsNobody(t, func() {
		_, err := os.ReadFile("/proc/slabinfo")
		require.ErrorIs(t, err, fs.ErrPermission)
	})

	own, err := os.ReadFile("/proc/slabinfo")
	require.NoError(t, err)
	require.Equal(t, names(string(own)), names(string(answer)))

	kinds := decode[map[string]slab.Reclaim](t, s, helper.Request{Verb: helper.VerbSlabKinds})
	want, err := slab.ReadKinds("/proc", "/sys")
	require.NoError(t, err)
	require.Equal(t, want, kinds)
}

func TestAnOrdinaryUserGetsTheVictimsOfTheOOMKiller(t *testing.T) {
	t.Parallel()

	_, s := start(t)
	tracker := oom.NewTracker(oom.Options{ProcPath: "/proc", SysPath: "/sys", KmsgPath: "/dev/kmsg", Watch: true})
	t.Cleanup(func() { require.NoError(t, tracker.Close()) })

	own, err := tracker.Get()
	require.NoError(t, err)

	got := decode[oom.Report](t, s, helper.Request{Verb: helper.VerbOOM})
	require.Equal(t, own.VictimsKnown, got.VictimsKnown)
	// The rest of a long kernel log is read at the next requests.
	require.Equal(t, oom.SourceTracepoint, got.Sources[0].Source)
	require.Equal(t, own.Sources[0].Used, got.Sources[0].Used)
	require.Equal(t, own.Schema, got.Schema)
	require.NotNil(t, got.Kills)
	require.GreaterOrEqual(t, *got.Kills, *own.Kills)
	require.Eventually(t, func() bool {
		return len(decode[oom.Report](t, s, helper.Request{Verb: helper.VerbOOM}).Victims) >= len(own.Victims)
	}, soon, 20*time.Millisecond)
}

func TestAnOrdinaryUserGetsTheStateOfNginx(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{})
	_, s := start(t)

	rows := decode[[]checks.Discovered](t, s, helper.Request{Verb: helper.VerbNginx})
	at := -1

	for i, row := range rows {
		if row.Config == n.ConfPath() {
			at = i
		}
	}

	require.GreaterOrEqual(t, at, 0, "%v", rows)

	ask := helper.Request{Verb: helper.VerbNginxConfig, Instance: checks.ID(rows[at].Instance)}

	var report checks.Report

	require.Eventually(t, func() bool {
		report = decode[checks.Report](t, s, ask)

		return !report.TestRunning
	}, time.Minute, time.Millisecond)
	require.Equal(t, checks.StateValid, report.State, report.Sentence)
	require.Equal(t, n.ConfPath(), report.Config)

	_, err := asNobody(t, s, helper.Request{Verb: helper.VerbNginxConfig, Instance: checks.ID("no such instance")})
	require.ErrorIs(t, err, checks.ErrUnknownInstance)
}

func TestAnOrdinaryUserGetsTheProcessesOfOthersThatListen(t *testing.T) {
	t.Parallel()

	ours, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ours.Close() })

	_, s := start(t)
	port := ours.Addr().(*net.TCPAddr).Port
	got := decode[listener.Report](t, s, helper.Request{Verb: helper.VerbListeners, Port: uint16(port)})
	require.Equal(t, 1, got.TCPListeners)
	require.Len(t, got.Processes, 1)
	require.Equal(t, os.Getpid(), got.Processes[0].PID)
}

func TestOthersAreRefused(t *testing.T) {
	t.Parallel()

	s := listen(t)
	launch(t, writeConfigOf(t, "root"), []*os.File{s.file}, "helper")

	_, err := asNobody(t, s, helper.Request{Verb: helper.VerbOOM})
	if os.Geteuid() == 0 {
		require.EqualError(t, err, fmt.Sprintf("cannot ask the root helper: user %d (process %d) may not ask; run as root or as the agent's user", nobody, os.Getpid()))

		status, err := clientOf(t, s).Status(t.Context())
		require.NoError(t, err, "root may")
		require.EqualValues(t, 1, status.Refused)
	} else {
		require.ErrorContains(t, err, "may not ask")
	}
}

// writeConfigOf is a configuration for another user alone.
func writeConfigOf(t *testing.T, name string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "helper.toml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "user = %q\n", name), 0o600))

	return path
}

func TestAWrongConfigurationIsTheAnswerUntilItIsMended(t *testing.T) {
	t.Parallel()

	s := listen(t)
	config := writeConfig(t, `idle_exit = "1y"`)
	sentence := "cannot use " + config + `: idle_exit = "1y": allowed is a time from 1s to 24h`
	p := launch(t, config, []*os.File{s.file}, "helper")
	client := clientOf(t, s)
	ask := func() error {
		_, err := client.JSON(t.Context(), helper.Request{Verb: helper.VerbSlabKinds})

		return err
	}

	if os.Geteuid() != 0 {
		// Whom the file names is not known, and root alone is answered where Zabbix's packages are not installed.
		require.Error(t, ask())
	} else {
		require.EqualError(t, ask(), "cannot ask the root helper: "+sentence)

		status, err := client.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, sentence, status.ConfigurationError)
	}

	// It ends soon by itself, so that the next reads the file again.
	require.Zero(t, p.wait(t, soon))
	require.Equal(t, "<3>"+sentence+"; until then every request is answered with this\n", p.stderr.String()[:strings.Index(p.stderr.String(), "\n")+1])
	require.Empty(t, p.stdout.String())

	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "user = %q\nidle_exit = \"1s\"\n", asker(t)), 0o600))

	p = launch(t, config, []*os.File{s.file}, "helper")
	require.NoError(t, ask())
	require.Zero(t, p.wait(t, soon))
	require.Empty(t, p.stdout.String()+p.stderr.String())
}

// TestATerminationEndsItWithinASecond has a test of a configuration run that takes much longer.
func TestATerminationEndsItWithinASecond(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, []byte(badnginx.Hold(20*time.Second)+"\nevents {}\nhttp { server { listen 127.0.0.1:1; } }\n"), 0o600))

	p, s := start(t, "[nginx.slow]", fmt.Sprintf("binary = %q", badnginx.BuildT(t, badnginx.Honest)), fmt.Sprintf("config = %q", config))
	client := clientOf(t, s)

	answered := make(chan error, 1)

	go func() {
		_, err := client.JSON(t.Context(), helper.Request{Verb: helper.VerbNginxConfig, Instance: checks.ID("slow")})
		answered <- err
	}()

	require.Eventually(t, func() bool {
		status, err := clientOf(t, s).Status(t.Context())

		return err == nil && status.Running == 1
	}, soon, 10*time.Millisecond)

	begun := time.Now()

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.wait(t, soon))
	require.Less(t, time.Since(begun), time.Second)
	require.Empty(t, p.stdout.String()+p.stderr.String())

	// The next helper answers it.
	launch(t, writeConfig(t), []*os.File{s.file}, "helper")
	require.ErrorIs(t, <-answered, checks.ErrUnknownInstance)
}

func TestAKilledHelperIsReplacedWithoutACallerNoticing(t *testing.T) {
	t.Parallel()

	p, s := start(t)
	client := clientOf(t, s)

	for range 5 {
		status, err := client.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, p.cmd.Process.Pid, status.PID)
		require.NoError(t, p.cmd.Process.Kill())
		<-p.exited

		p = launch(t, writeConfig(t), []*os.File{s.file}, "helper")
	}

	require.Zero(t, client.Health().Failures)
}
