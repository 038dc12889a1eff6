package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

// TestMain makes the test binary a peer of another user when a test starts it as that.
func TestMain(m *testing.M) {
	if socket := os.Getenv(peerVariable); socket != "" {
		os.Exit(bePeer(socket))
	}

	os.Exit(m.Run())
}

const testVersion = "1.2.3-test"

// journal is what a server logs. It is safe for concurrent use.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()

	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()

	return j.text.String()
}

// fixture is a server at a socket of its own.
type fixture struct {
	*Server

	socket   string
	listener *net.UnixListener
	journal  *journal
	// stop has Serve end; ended has its error.
	stop  context.CancelFunc
	ended chan error
}

// done is the answer of handlers that have nothing to say.
var done = map[string]int{"schema": 1}

// allVerbs has each verb done by one handler.
func allVerbs(h Handler) map[helper.Verb]Handler {
	handlers := make(map[helper.Verb]Handler)
	for _, info := range helper.Verbs() {
		handlers[info.Verb] = h
	}

	return handlers
}

func atOnce(context.Context, helper.Request) (any, error) { return done, nil }

// listen opens a socket that any user may connect to.
func listen(t testing.TB) *net.UnixListener {
	t.Helper()

	path := filepath.Join(program.DirT(t, "helper"), "socket")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	listener.SetUnlinkOnClose(false)
	require.NoError(t, os.Chmod(path, 0o666))

	return listener
}

// start starts a server. What is left out of the options is at a harmless value.
func start(t testing.TB, o Options) *fixture {
	t.Helper()

	return startAt(t, listen(t), o)
}

func startAt(t testing.TB, listener *net.UnixListener, o Options) *fixture {
	t.Helper()

	f := &fixture{socket: listener.Addr().String(), listener: listener, journal: &journal{}, ended: make(chan error, 1)}
	o.Version, o.Log = testVersion, log.New(f.journal, "", 0)

	if o.Handlers == nil {
		o.Handlers = allVerbs(atOnce)
	}

	if o.Allowed == nil {
		o.Allowed = func(uint32) bool { return true }
	}

	if o.IdleExit == 0 {
		o.IdleExit = time.Hour
	}

	f.Server = New(o)
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop

	served := make(chan struct{})

	go func() {
		defer close(served)

		f.ended <- f.Serve(ctx, listener)
	}()

	t.Cleanup(func() {
		stop()
		<-served
	})

	return f
}

// client asks as the plugin does.
func (f *fixture) client() *helper.Client { return helper.NewClient(f.socket) }

func (f *fixture) dial(t testing.TB) *net.UnixConn {
	t.Helper()

	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: f.socket, Net: "unix"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))

	return conn
}

// say sends bytes on a connection of its own and returns all that comes back.
func (f *fixture) say(t testing.TB, raw string) string {
	t.Helper()

	conn := f.dial(t)
	// The server may have closed before it has read all.
	_, _ = io.WriteString(conn, raw)
	_ = conn.CloseWrite()
	answer, _ := io.ReadAll(conn)

	return string(answer)
}

// get asks on a connection of its own and returns status and body.
func (f *fixture) get(t testing.TB, target string) (status int, body string) {
	t.Helper()

	return ask(t, f.dial(t), target)
}

func ask(t testing.TB, conn net.Conn, target string) (status int, body string) {
	t.Helper()

	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: helper\r\n\r\n", target)
	require.NoError(t, err)

	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, testVersion, response.Header.Get(helper.VersionHeader))

	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)

	return response.StatusCode, string(text)
}

// failed is the body of an answer that is not 200.
func failed(code helper.Code, message string) string {
	return fmt.Sprintf(`{"schema":1,"code":"%s","message":%s}`, code, quoted(message))
}

// quoted is a text as JSON has it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(text) + `"`
}

const goodBody = `{"schema":1}`

// requireAnswers has the server answer another connection within the bound while something goes on.
func (f *fixture) requireAnswers(t testing.TB, bound time.Duration) {
	t.Helper()

	begun := time.Now()
	status, body := f.get(t, "/v1/oom")
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, goodBody, body)
	require.Less(t, time.Since(begun), bound)
}
