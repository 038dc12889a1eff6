package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// gate is a handler whose runs wait until it is opened.
type gate struct {
	open    chan struct{}
	started atomic.Int64
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

// handle waits as one that takes no notice of the time does.
func (g *gate) handle(context.Context, helper.Request) (any, error) {
	g.started.Add(1)
	<-g.open

	return done, nil
}

func (g *gate) await(t *testing.T, runs int64) {
	t.Helper()

	require.Eventually(t, func() bool { return g.started.Load() == runs }, 5*time.Second, time.Millisecond, "%d runs", runs)
}

// askAll asks for each target at the same time and returns what came back, by target.
func askAll(t *testing.T, f *fixture, targets []string) (wait func() map[string]string) {
	t.Helper()

	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		answers = make(map[string]string)
	)

	for at, target := range targets {
		all.Go(func() {
			status, body := f.get(t, target)

			mu.Lock()
			defer mu.Unlock()

			answers[fmt.Sprint(at, " ", target)] = fmt.Sprint(status, " ", body)
		})
	}

	return func() map[string]string {
		all.Wait()

		return answers
	}
}

func TestCallersWhoAskTheSameShareOneRun(t *testing.T) {
	t.Parallel()

	const callers = 50

	g := newGate()
	f := start(t, Options{Handlers: allVerbs(g.handle)})
	targets := make([]string, callers)

	for at := range targets {
		targets[at] = "/v1/listeners?port=80"
	}

	wait := askAll(t, f, targets)
	g.await(t, 1)
	require.Eventually(t, func() bool { return f.requests.Load() == callers }, 5*time.Second, time.Millisecond)
	time.Sleep(50 * time.Millisecond) // the last is counted a moment before it joins
	close(g.open)

	for target, got := range wait() {
		require.Equal(t, "200 "+goodBody, got, target)
	}

	require.EqualValues(t, 1, g.started.Load())
	require.EqualValues(t, callers-1, f.status().Shared)

	f.get(t, targets[0])
	require.EqualValues(t, 2, g.started.Load(), "what has ended is not shared")
	require.EqualValues(t, callers-1, f.status().Shared)
}

func TestWhatDiffersIsNotShared(t *testing.T) {
	t.Parallel()

	targets := []string{
		"/v1/listeners", "/v1/listeners?port=80", "/v1/listeners?port=81", "/v1/nginx",
	}
	g := newGate()
	f := start(t, Options{Handlers: allVerbs(func(ctx context.Context, r helper.Request) (any, error) {
		_, _ = g.handle(ctx, r)

		return r.Target(), nil
	})})

	require.Len(t, targets, maxRunning)

	wait := askAll(t, f, targets)
	g.await(t, int64(len(targets)))
	close(g.open)

	for at, target := range targets {
		require.Equal(t, "200 "+quoted(target), wait()[fmt.Sprint(at, " ", target)])
	}

	require.Zero(t, f.status().Shared)
}

func TestAnErrorOfACheckKeepsItsKind(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		err    error
		status int
		code   helper.Code
	}{
		"of a permission":           {fmt.Errorf("cannot read: %w", fs.ErrPermission), 500, helper.CodePermission},
		"of a file that is missing": {fmt.Errorf("cannot read: %w", fs.ErrNotExist), 500, helper.CodeNotSupported},
		"of a name":                 {fmt.Errorf("cannot report: %w", nginx.ErrUnknownInstance), 404, helper.CodeUnknownInstance},
		"of any other kind":         {errors.New("cannot do it: it is dark\nand \"cold\""), 500, helper.CodeFailed},
		"that a caller gave up":     {context.DeadlineExceeded, 500, helper.CodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f := start(t, Options{Handlers: allVerbs(func(context.Context, helper.Request) (any, error) { return nil, test.err })})
			_, err := f.client().JSON(t.Context(), helper.Request{Verb: helper.VerbNginx})
			require.EqualError(t, err, test.err.Error())

			for _, kind := range []error{fs.ErrPermission, fs.ErrNotExist, nginx.ErrUnknownInstance} {
				require.Equal(t, errors.Is(test.err, kind), errors.Is(err, kind), "%v", kind)
			}

			status, _ := f.get(t, "/v1/nginx")
			require.Equal(t, test.status, status)

			f.requests.Store(0)
			require.EqualValues(t, 2, f.status().Failures)
		})
	}
}

func TestWhatCannotBeEncodedIsAnError(t *testing.T) {
	t.Parallel()

	f := start(t, Options{Handlers: allVerbs(func(context.Context, helper.Request) (any, error) { return make(chan int), nil })})
	status, body := f.get(t, "/v1/nginx")
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, failed(helper.CodeFailed, "cannot encode the answer: json: unsupported type: chan int; report it"), body)
}

func TestWithAConfigurationThatCannotBeUsedOnlyTheStatusIsAnswered(t *testing.T) {
	t.Parallel()

	const broken = `cannot use /etc/x.toml: line 3: expected '='`

	f := start(t, Options{
		Configuration: errors.New(broken),
		Handlers:      allVerbs(func(context.Context, helper.Request) (any, error) { panic("it was reached") }),
	})

	for _, info := range helper.Verbs() {
		if info.Verb == helper.VerbStatus {
			continue
		}

		status, body := f.get(t, helper.Request{Verb: info.Verb}.Target())
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Equal(t, failed(helper.CodeConfiguration, broken), body)
	}

	client := f.client()
	defer client.Close()

	status, err := client.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, helper.OK, client.Health().State)
	require.Positive(t, status.PID)
	require.Positive(t, status.RSSBytes)
	require.WithinDuration(t, time.Now(), time.Unix(0, int64(status.StartedAt*1e9)), time.Minute)

	// What differs from run to run.
	status.PID, status.StartedAt, status.UptimeS, status.RSSBytes, status.Connections = 0, 0, 0, 0, 0
	n := uint64(len(helper.Verbs()))
	require.Equal(t, helper.Status{Schema: 1, Version: testVersion, ConfigurationError: broken, Requests: n, Failures: n - 1}, status)
}
