package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pty"
)

// The tests of this file end watchers as Ctrl-C does, by a signal to the process, and so none of them is parallel.

// watcher is a command that runs until it is interrupted.
type watcher struct {
	t      *testing.T
	lines  chan string
	seen   strings.Builder
	ended  chan int
	errOut bytes.Buffer
}

// startWatch runs a command whose output goes to one file and is read from another.
func startWatch(t *testing.T, from io.Reader, to *os.File, args ...string) *watcher {
	t.Helper()

	w := &watcher{t: t, lines: make(chan string, 1000), ended: make(chan int, 1)}

	go func() {
		w.ended <- Run(args, "1.2.3", to, &w.errOut)
		_ = to.Close()
	}()

	go func() {
		defer close(w.lines)

		for reader := bufio.NewReader(from); ; {
			line, err := reader.ReadString('\n')
			if line != "" {
				w.lines <- line
			}

			// A pseudo-terminal whose other end is closed gives EIO.
			if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) || errors.Is(err, os.ErrClosed) {
				return
			}
		}
	}()

	return w
}

// until reads lines up to one that has the text, and returns it.
func (w *watcher) until(text string) string {
	w.t.Helper()

	limit := time.After(30 * time.Second)

	for {
		select {
		case line, ok := <-w.lines:
			require.True(w.t, ok, "the output ended without %q:\n%s", text, w.seen.String())
			w.seen.WriteString(line)

			if strings.Contains(line, text) {
				return line
			}
		case <-limit:
			require.FailNow(w.t, "no "+text, w.seen.String())
		}
	}
}

// interrupt ends the command and returns its status and the rest of its output.
func (w *watcher) interrupt() (status int, rest string) {
	w.t.Helper()
	require.NoError(w.t, syscall.Kill(os.Getpid(), syscall.SIGINT))

	select {
	case status = <-w.ended:
	case <-time.After(30 * time.Second):
		require.FailNow(w.t, "it goes on", w.seen.String())
	}

	var text strings.Builder
	for line := range w.lines {
		text.WriteString(line)
	}

	require.Empty(w.t, w.errOut.String())

	return status, text.String()
}

// surviveInterrupt keeps the test alive when its own signal comes before the command waits for it.
func surviveInterrupt(t *testing.T) {
	t.Helper()

	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGINT)
	t.Cleanup(func() { signal.Stop(ignored) })
}

func pipe(t *testing.T) (from, to *os.File) {
	t.Helper()

	from, to, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = from.Close() })

	return from, to
}

func TestWatchLogsWhereNoTerminalIs(t *testing.T) {
	surviveInterrupt(t)

	server := badsite.StartT(t, badsite.OK())
	steady := badsite.StartT(t, badsite.OK())
	file := agentFile(t, "blog.URL="+server.URL(), "blog.Interval=200ms", "shop.URL="+steady.URL(), "shop.Interval=200ms")
	from, to := pipe(t)

	w := startWatch(t, from, to, "site", "--watch", "--config", file)
	require.Regexp(t, `^\d\d:\d\d:\d\d blog: ok, [0-9.]+ m?s; \d+ of \d+ ok \(100\.0 %\)\n$`, w.until("blog: ok"))
	w.until("shop: ok")

	require.NoError(t, server.Set(badsite.Stolen()))
	require.Contains(t, w.until("blog: reset_before_response"), "another process may be accepting on this port\n")

	require.NoError(t, server.Set(badsite.OK()))
	w.until("blog: ok")

	status, rest := w.interrupt()
	require.Equal(t, exitFailed, status)
	require.Regexp(t, `\nblog: \d+ requests, \d+ ok \([0-9.]+ %\), \d+ failed \(.*reset_before_response \d+.*\), 0 not tested; ok p50 `, "\n"+rest)
	require.Regexp(t, `\nshop: \d+ requests, \d+ ok \(100\.0 %\), 0 failed, 0 not tested; ok p50 `, "\n"+rest)
	require.NotContains(t, w.seen.String()+rest, "\x1b")
}

func TestWatchOfAURLSucceedsWhereAllRequestsDo(t *testing.T) {
	surviveInterrupt(t)

	from, to := pipe(t)
	url := badsite.StartT(t, badsite.OK()).URL()

	w := startWatch(t, from, to, "site", url, "--watch", "--interval", "200ms")
	w.until(url + ": ok")

	status, rest := w.interrupt()
	require.Equal(t, exitOK, status)
	require.Contains(t, rest, url+": ")
	require.Contains(t, rest, " ok (100.0 %), 0 failed, 0 not tested; ok p50 ")
}

func TestWatchPrintsADocumentPerSecond(t *testing.T) {
	surviveInterrupt(t)

	from, to := pipe(t)
	file := agentFile(t, "shop.URL="+badsite.StartT(t, badsite.Stolen()).URL(), "shop.Interval=200ms")

	w := startWatch(t, from, to, "site", "shop", "--watch", "--json", "--config", file)
	w.until(`"requests":0,`)
	w.until(`"reset_before_response","total_s"`)

	status, rest := w.interrupt()
	require.Equal(t, exitFailed, status)

	type document struct {
		Schema int
		At     int64
		Sites  []struct {
			Site     string
			Failed   uint64
			Reasons  map[string]uint64
			Last     struct{ Sentence string }
			Evidence []json.RawMessage
		}
	}

	var last document

	for line := range strings.Lines(w.seen.String() + rest) {
		last = document{}
		require.NoError(t, json.Unmarshal([]byte(line), &last), line)
		require.Equal(t, 1, last.Schema)
		require.InDelta(t, time.Now().Unix(), last.At, 60)
		require.Len(t, last.Sites, 1)
	}

	require.Equal(t, "shop", last.Sites[0].Site)
	require.Equal(t, last.Sites[0].Failed, last.Sites[0].Reasons["reset_before_response"])
	require.Positive(t, last.Sites[0].Failed)
	require.Len(t, last.Sites[0].Evidence, 1, "the newest only")
	require.Contains(t, last.Sites[0].Last.Sentence, "another process")
}

func TestWatchOnATerminalDrawsInPlaceAndGivesItBack(t *testing.T) {
	surviveInterrupt(t)
	t.Setenv("TERM", "xterm")
	t.Setenv("LC_ALL", "C.UTF-8")

	for name, test := range map[string]struct{ noColor, failure string }{
		"in color":          {"", "\x1b[31m×\x1b[0m"},
		"without any color": {"1", "  ×"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_COLOR", test.noColor)

			shown, tty := pty.OpenT(t, 100, 20)
			w := startWatch(t, shown, tty, "site", badsite.StartT(t, badsite.Stolen()).URL(), "--watch", "--interval", "200ms")

			require.Contains(t, w.until("Ctrl-C ends"), "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H")
			w.until(test.failure)

			status, rest := w.interrupt()
			require.Equal(t, exitFailed, status)

			_, after, found := strings.Cut(rest, "\x1b[?7h\x1b[?25h\x1b[?1049l")
			require.True(t, found, "the cursor and the other screen are back: %q", rest)
			require.Regexp(t, `^http://[0-9.:]+/: \d+ requests, 0 ok \(0\.0 %\), \d+ failed \(reset_before_response \d+\), 0 not tested.*\r\n$`, after)
			require.Equal(t, test.noColor != "", !strings.Contains(w.seen.String(), "m"+"×"))
		})
	}
}

func TestSlabIsWatchedAsSitesAre(t *testing.T) {
	surviveInterrupt(t)
	t.Setenv("TERM", "xterm")

	shown, tty := pty.OpenT(t, 100, 20)
	w := startWatch(t, shown, tty, "slab", "--watch", "-n", "50")

	if os.Getuid() != 0 {
		require.Equal(t, exitFailed, <-w.ended)
		require.Contains(t, w.errOut.String(), "cannot read /proc/slabinfo: permission denied")

		return
	}

	w.until("growth is known after 2 minutes; Ctrl-C ends")
	w.until("merged with")

	status, rest := w.interrupt()
	require.Equal(t, exitOK, status)

	_, after, found := strings.Cut(rest, "\x1b[?1049l")
	require.True(t, found)
	require.Contains(t, after, "\n50  ", "the last view is left behind, whole")
}

func TestOOMKillsAreWatchedAsSitesAre(t *testing.T) {
	surviveInterrupt(t)

	from, to := pipe(t)
	w := startWatch(t, from, to, "oom", "--watch")

	for range 2 {
		require.Regexp(t, `^\d\d:\d\d:\d\d  every 2s; Ctrl-C ends\n$`, w.until("Ctrl-C ends"))
		w.until("OOM kills since 20")
	}

	status, _ := w.interrupt()
	require.Equal(t, exitOK, status)
}
