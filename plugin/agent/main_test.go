package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.zabbix.com/sdk/plugin"

	"zabbix-agent2-plugin-hosting/testenv/scripted"
)

// A worker dies at its start while the file that this variable names exists.
const dieAtStartVariable = "PLUGIN_TEST_DIE_AT_START"

// TestMain makes the test binary a plugin when an agent, a scripted one or the link of such a plugin starts it.
func TestMain(m *testing.M) {
	if status, handled := Main(os.Args, faultyPlugin()); handled {
		os.Exit(status)
	}

	os.Exit(m.Run())
}

func faultyPlugin() Plugin {
	return Plugin{
		Name:    "Faulty",
		Metrics: faultyMetrics(),
		Validate: func(options []byte) error {
			if strings.Contains(string(options), `"Forbidden"`) {
				return errors.New("cannot use option Plugins.Faulty.Forbidden: there is no such option")
			}

			return nil
		},
		New: func(host Host) Handler {
			if path := os.Getenv(dieAtStartVariable); path != "" {
				if _, err := os.Stat(path); err == nil {
					fmt.Fprintln(os.Stderr, "dying at start, as told")
					os.Exit(9)
				}
			}

			return &faulty{host: host, exit: make(chan struct{})}
		},
	}
}

func faultyMetrics() []string {
	var pairs []string

	for key := range strings.FieldsSeq("echo fail options started pid status big log print patient panic crash exit kill segv stop block") {
		pairs = append(pairs, "faulty."+key, "One of the faults of the test plugin.")
	}

	return pairs
}

// faulty is a handler with every fault that the link and the worker are there for.
type faulty struct {
	host    Host
	options string
	started bool
	exit    chan struct{}
}

func (f *faulty) Configure(global plugin.GlobalOptions, options []byte) error {
	f.options = fmt.Sprintf("%d %s", global.Timeout, options)

	return nil
}

func (f *faulty) Start() { f.started = true }
func (f *faulty) Stop()  { time.Sleep(50 * time.Millisecond) }

func (f *faulty) Export(ctx context.Context, key string, parameters []string) (string, error) {
	switch key {
	case "faulty.echo":
		return strings.Join(parameters, ","), nil
	case "faulty.fail":
		return "", errors.New("cannot do it: told to fail")
	case "faulty.options":
		return f.options, nil
	case "faulty.started":
		return strconv.FormatBool(f.started), nil
	case "faulty.pid":
		return strconv.Itoa(os.Getpid()), nil
	case "faulty.status":
		status, err := json.Marshal(f.host.Status())

		return string(status), err
	case "faulty.big":
		n, err := strconv.Atoi(parameters[0])

		return strings.Repeat("x", n), err
	case "faulty.log":
		f.host.Infof("%s", parameters[0])

		return "", nil
	case "faulty.print":
		fmt.Println(parameters[0])
		fmt.Fprintln(os.Stderr, parameters[0])

		return "", nil
	case "faulty.patient":
		<-ctx.Done()

		return "", fmt.Errorf("cannot wait any longer: %w", ctx.Err())
	default:
		return f.misbehave(key)
	}
}

func (f *faulty) misbehave(key string) (string, error) {
	switch key {
	case "faulty.panic":
		panic("deliberate 100%")
	case "faulty.crash":
		go func() { panic("deliberate, in a goroutine of its own") }()
		<-f.exit
	case "faulty.exit":
		os.Exit(7)
	case "faulty.kill":
		f.signal(syscall.SIGKILL)
	case "faulty.segv":
		f.signal(syscall.SIGSEGV)
	case "faulty.stop":
		f.signal(syscall.SIGSTOP)
	case "faulty.block":
		<-f.exit
	}

	return "", errors.New("cannot evaluate it: there is no such key")
}

// signal sends the worker a signal and waits for it to act.
func (f *faulty) signal(signal syscall.Signal) {
	if syscall.Kill(os.Getpid(), signal) == nil {
		<-f.exit
	}
}

// run starts the test binary as an agent starts its plugin.
func run(t *testing.T, dialect scripted.Dialect, registration bool, environment ...string) *scripted.Process {
	t.Helper()

	p, err := scripted.Run(dialect, "/proc/self/exe", registration, environment...)
	require.NoError(t, err)
	t.Cleanup(p.Stop)

	return p
}

// operate starts the plugin for operation, configured and started.
func operate(t *testing.T, dialect scripted.Dialect, environment ...string) *scripted.Process {
	t.Helper()

	p := run(t, dialect, false, environment...)
	_, err := p.Configure(3, "Faulty", scripted.Option{Name: "Color", Value: "blue"})
	require.NoError(t, err)
	_, err = p.Start()
	require.NoError(t, err)

	return p
}

// result is the answer to an export request.
type result struct {
	Value string
	Error string
}

const answerPatience = 10 * time.Second

func ask(t *testing.T, p *scripted.Process, timeoutS int, key string, parameters ...string) result {
	t.Helper()

	id, err := p.Export(timeoutS, key, parameters...)
	require.NoError(t, err)

	return answer(t, p, id)
}

func answer(t *testing.T, p *scripted.Process, id uint32) result {
	t.Helper()

	f, err := p.Answer(id, answerPatience)
	require.NoError(t, err)

	r := result{Error: f.Error}

	if f.Value != nil {
		require.NoError(t, json.Unmarshal(f.Value, &r.Value), "a value is always a string")
	}

	return r
}

// awaitLog waits for a log message that holds the text and returns it.
func awaitLog(t *testing.T, p *scripted.Process, text string) string {
	t.Helper()

	f, err := p.Await(answerPatience, func(f scripted.Frame) bool {
		return f.Type == scripted.Log && strings.Contains(f.Message, text)
	})
	require.NoError(t, err, "waiting for a log message with %q", text)

	return f.Message
}
