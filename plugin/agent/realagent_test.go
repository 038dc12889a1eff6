package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/passive"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// realAgent starts a real agent with the faulty plugin, which is this test binary.
func realAgent(t *testing.T, version zabbixagent.Version, timeoutS int) *zabbixagent.Agent {
	t.Helper()

	binary, err := os.Executable()
	require.NoError(t, err)

	return zabbixagent.StartT(t, zabbixagent.Options{Version: version, Plugin: binary, Name: "Faulty", Timeout: timeoutS})
}

// reasonOf returns why the agent has no value, and fails the test for any other outcome than an answer.
func reasonOf(t *testing.T, err error) string {
	t.Helper()

	var unsupported *zabbixagent.NotSupported

	require.ErrorAs(t, err, &unsupported)

	return unsupported.Reason
}

func get(t *testing.T, a *zabbixagent.Agent, key string) string {
	t.Helper()

	value, err := a.Get(key)
	require.NoError(t, err)

	return value
}

func eachAgent(t *testing.T, timeoutS int, test func(*testing.T, *zabbixagent.Agent)) {
	t.Helper()

	for _, version := range zabbixagent.Versions() {
		t.Run("agent "+string(version), func(t *testing.T) {
			t.Parallel()

			a := realAgent(t, version, timeoutS)
			test(t, a)

			select {
			case <-a.Exited():
				require.Fail(t, "the agent died of its plugin")
			default:
			}
		})
	}
}

func TestRealAgentSurvivesWhatTheChecksDo(t *testing.T) {
	t.Parallel()

	eachAgent(t, 3, func(t *testing.T, a *zabbixagent.Agent) {
		require.Equal(t, "a,b c,", get(t, a, `faulty.echo[a,"b c",]`))

		_, err := a.Get("faulty.panic")
		require.Contains(t, strings.ToLower(reasonOf(t, err)), "evaluating faulty.panic: it panicked (deliberate 100%)")
		require.Eventually(t, func() bool {
			return strings.Contains(a.Log(), "[Faulty] recovered a panic while evaluating faulty.panic: deliberate 100%\n") &&
				strings.Contains(a.Log(), "misbehave")
		}, 5*time.Second, 50*time.Millisecond, "the stack is in the agent's log, and its percent sign is whole")

		_, err = a.GetTimeout("faulty.block", 1)
		require.Contains(t, reasonOf(t, err), "no result within")

		for _, key := range []string{"faulty.crash", "faulty.kill", "faulty.exit", "faulty.segv"} {
			_, err := a.GetTimeout(key, 3)
			require.Contains(t, reasonOf(t, err), "the worker process that evaluated it died", "key %s", key)
			require.Equal(t, "x", get(t, a, "faulty.echo[x]"))
		}
	})
}

func TestRealAgentGetsBigAndManyAnswers(t *testing.T) {
	t.Parallel()

	// Not about speed: agent 6.0 has one timeout for all, and the machine is busy with other tests.
	eachAgent(t, 30, func(t *testing.T, a *zabbixagent.Agent) {
		client := passive.Client{Address: a.Address(), Timeout: 30 * time.Second, Limit: 64 << 20}

		big, err := client.Get("faulty.big[20000000]")
		require.NoError(t, err)
		require.Len(t, big, 20000000)

		var (
			asks  sync.WaitGroup
			mu    sync.Mutex
			wrong []string
		)

		for i := range 1000 {
			asks.Go(func() {
				want := strconv.Itoa(i)

				value, err := client.Get("faulty.echo[" + want + "]")
				if value != want {
					mu.Lock()
					defer mu.Unlock()

					wrong = append(wrong, fmt.Sprintf("%q, %v", value, err))
				}
			})
		}

		asks.Wait()
		require.Empty(t, wrong)
	})
}

// The acceptance test of the link: a worker killed five times a second for 20 s, under 50 requests a second.
func TestRealAgentLivesThroughHundredKilledWorkers(t *testing.T) {
	t.Parallel()

	eachAgent(t, 3, func(t *testing.T, a *zabbixagent.Agent) {
		require.Equal(t, "x", get(t, a, "faulty.echo[x]"))

		load := startLoad(a, 20*time.Millisecond)

		for range 100 {
			next := time.Now().Add(200 * time.Millisecond)

			killWorker(t, a)
			time.Sleep(time.Until(next))
		}

		last := time.Now()

		require.Eventually(t, func() bool {
			value, err := a.Get("faulty.echo[again]")

			return err == nil && value == "again"
		}, time.Second, 10*time.Millisecond)
		t.Logf("the first value came %s after the last kill", time.Since(last).Round(time.Millisecond))

		values, refusals, failures := load.stop()
		t.Logf("%d values, %d answers with an error", values, refusals)
		require.Empty(t, failures)
		require.GreaterOrEqual(t, values+refusals, 800)
		require.Greater(t, values, refusals)
	})
}

// killWorker kills the worker that runs at the moment, if one does.
func killWorker(t *testing.T, a *zabbixagent.Agent) {
	t.Helper()

	for _, pid := range a.PluginPIDs() {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && strings.Contains(string(command), workerArgument) {
			err = syscall.Kill(pid, syscall.SIGKILL)
			require.True(t, err == nil || errors.Is(err, syscall.ESRCH))
		}
	}
}

// load asks an agent at a steady rate and sorts the answers.
type load struct {
	ended    chan struct{}
	asks     sync.WaitGroup
	mu       sync.Mutex
	values   int
	refusals int
	failures []string
}

func startLoad(a *zabbixagent.Agent, interval time.Duration) *load {
	l := &load{ended: make(chan struct{})}

	l.asks.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()

		for {
			select {
			case <-l.ended:
				return
			case <-ticker.C:
				l.asks.Go(func() { l.note(a.GetTimeout("faulty.echo[x]", 3)) })
			}
		}
	})

	return l
}

func (l *load) note(value string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	var unsupported *zabbixagent.NotSupported

	switch {
	case err == nil && value == "x":
		l.values++
	case errors.As(err, &unsupported) && strings.Contains(unsupported.Reason, "the worker process"):
		l.refusals++
	default:
		l.failures = append(l.failures, fmt.Sprintf("%q, %v", value, err))
	}
}

func (l *load) stop() (values, refusals int, failures []string) {
	close(l.ended)
	l.asks.Wait()

	return l.values, l.refusals, l.failures
}

func TestNothingIsLeftOfThePluginWhenItsAgentIsGone(t *testing.T) {
	t.Parallel()

	for _, version := range zabbixagent.Versions() {
		for way, end := range map[string]func(*testing.T, *zabbixagent.Agent){
			"by SIGKILL": func(_ *testing.T, a *zabbixagent.Agent) { a.Kill() },
			"in order": func(t *testing.T, a *zabbixagent.Agent) {
				t.Helper()
				require.NoError(t, syscall.Kill(a.PID(), syscall.SIGTERM))

				<-a.Exited()
				require.Equal(t, 0, a.ExitCode())
			},
		} {
			t.Run(fmt.Sprintf("agent %s %s", version, way), func(t *testing.T) {
				t.Parallel()

				a := realAgent(t, version, 3)
				require.Equal(t, "x", get(t, a, "faulty.echo[x]"))

				processes := a.PluginPIDs()
				require.GreaterOrEqual(t, len(processes), 2, "a link and a worker")

				end(t, a)

				for _, pid := range processes {
					requireGone(t, pid, time.Second)
				}
			})
		}
	}
}

// Not parallel: the agents inherit the variable.
func TestRealAgentWithAWorkerThatDiesAtEachStart(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "die")
	require.NoError(t, os.WriteFile(marker, nil, 0o600))
	t.Setenv(dieAtStartVariable, marker)

	for _, version := range zabbixagent.Versions() {
		t.Run("agent "+string(version), func(t *testing.T) {
			a := realAgent(t, version, 3)

			_, err := a.GetTimeout("faulty.echo[x]", 3)
			reason := reasonOf(t, err)
			require.Contains(t, reason, "the worker process")
			require.Contains(t, reason, "exit status 9")
			require.Eventually(t, func() bool {
				return strings.Contains(a.Log(), "it printed: dying at start, as told")
			}, 5*time.Second, 50*time.Millisecond)
			require.Equal(t, "1", get(t, a, "agent.ping"))
		})
	}
}

// Agent 6.0 panicked when its only child, the registration process, ended at the wrong moment; so that one stays.
func TestAgent60StartsReliably(t *testing.T) {
	t.Parallel()

	for i := range 6 {
		a := realAgent(t, zabbixagent.V60, 3)
		require.Equal(t, strconv.Itoa(i), get(t, a, fmt.Sprintf("faulty.echo[%d]", i)))
		require.Equal(t, 2, countCommands(a.PluginPIDs(), "true", "false"), "the registration process stays beside the link")
		require.NoError(t, a.Stop())
	}
}

func countCommands(pids []int, last ...string) int {
	count := 0

	for _, pid := range pids {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			continue
		}

		arguments := strings.Split(strings.TrimRight(string(command), "\x00"), "\x00")
		if slices.Contains(last, arguments[len(arguments)-1]) {
			count++
		}
	}

	return count
}
