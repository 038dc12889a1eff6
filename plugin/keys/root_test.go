package keys

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/oom"
	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/plugin/helper/server"
)

// serveHelper answers at a socket with the handlers until the test ends.
func serveHelper(t *testing.T, handlers map[helper.Verb]server.Handler) string {
	t.Helper()

	socket := filepath.Join(t.TempDir(), "helper.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s := server.New(server.Options{
		Version: "1.2.3", Handlers: handlers, IdleExit: time.Hour, Log: log.New(io.Discard, "", 0),
		Allowed: func(uint32) bool { return true },
	})

	go func() { ended <- s.Serve(ctx, listener) }()

	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})

	return socket
}

// answers are handlers that always give these values, or fail with these errors.
func answers(values map[helper.Verb]any) map[helper.Verb]server.Handler {
	handlers := make(map[helper.Verb]server.Handler)

	for verb, value := range values {
		handlers[verb] = func(context.Context, helper.Request) (any, error) {
			if err, failed := value.(error); failed {
				return nil, err
			}

			return value, nil
		}
	}

	return handlers
}

// ordinaryChecks are those of a host whose root-only files this process may not read, and that asks a helper at the socket.
func ordinaryChecks(t *testing.T, socket string) *Checks {
	t.Helper()

	host := newFixtureHost(t)
	host.become("after")
	host.options.Nginx = []instance.Configured{{Name: "spare", Binary: "/nowhere/nginx"}}
	host.options.KmsgPath = filepath.Join(t.TempDir(), "none")

	checks := NewChecks(host.options, fixedProcess{}, "1.2.3")

	client := helper.NewClient(socket)
	checks.helper = client

	t.Cleanup(func() {
		checks.Stop()
		client.Close()
	})

	return checks
}

func TestWhatIsForRootComesFromTheHelper(t *testing.T) {
	t.Parallel()

	victim := oom.Victim{Name: "nginx", PID: 7, At: 12}
	socket := serveHelper(t, answers(map[helper.Verb]any{
		helper.VerbOOM:         oom.Report{Schema: 1, VictimsKnown: true, LastVictim: &victim, Victims: []oom.Victim{victim}},
		helper.VerbNginx:       []nginx.Discovered{{Instance: "/etc/nginx/nginx.conf"}},
		helper.VerbNginxConfig: nginx.Report{Schema: 1, Instance: "/etc/nginx/nginx.conf", State: nginx.StateValid},
		helper.VerbListeners:   listener.Report{Schema: 1, Port: 80},
	}))
	checks := ordinaryChecks(t, socket)

	var report oom.Report
	require.NoError(t, json.Unmarshal([]byte(evaluate(t, checks, "hosting.oom.get")), &report))
	require.Equal(t, []oom.Victim{victim}, report.Victims)
	require.True(t, report.VictimsKnown)

	var rows []nginx.Discovered
	require.NoError(t, json.Unmarshal([]byte(evaluate(t, checks, "hosting.nginx.discovery")), &rows))
	require.Equal(t, []string{"/etc/nginx/nginx.conf", "spare"}, []string{rows[0].Instance, rows[1].Instance}, "and what only the agent's configuration names")

	require.Contains(t, evaluate(t, checks, "hosting.nginx.config[/etc/nginx/nginx.conf]"), `"instance":"/etc/nginx/nginx.conf"`)
	require.Contains(t, evaluate(t, checks, "hosting.listener.get[80]"), `"port":80`)

	require.Equal(t, HelperReport{State: helper.OK, StateName: "ok", Version: "1.2.3", Requests: 4}, checks.helperReport(context.Background()))
}

func evaluate(t *testing.T, checks *Checks, key string) string {
	t.Helper()

	value, err := evaluateKey(t, checks, key)
	require.NoError(t, err)

	return value
}

func evaluateKey(t *testing.T, checks *Checks, key string) (string, error) {
	t.Helper()

	name, parameters, err := ParseItemKey(key)
	require.NoError(t, err)

	return checks.Evaluate(context.Background(), name, parameters)
}

func TestAnInstanceThatOnlyTheAgentNamesIsTestedAsItsUser(t *testing.T) {
	t.Parallel()

	checks := ordinaryChecks(t, serveHelper(t, answers(map[helper.Verb]any{helper.VerbNginxConfig: nginx.ErrUnknownInstance})))

	require.Contains(t, evaluate(t, checks, "hosting.nginx.config[spare]"), `"instance":"spare"`)

	_, err := evaluateKey(t, checks, "hosting.nginx.config[other]")
	require.ErrorIs(t, err, nginx.ErrUnknownInstance)
	require.ErrorContains(t, err, `cannot evaluate hosting.nginx.config: cannot report on "other": unknown instance`)
}

// The command nginx left out what only the agent's configuration names.
func TestThePersonSeesAllInstancesThatTheItemsSee(t *testing.T) {
	t.Parallel()

	handlers := answers(map[helper.Verb]any{
		helper.VerbNginx:       []nginx.Discovered{{Instance: "/etc/nginx/nginx.conf"}},
		helper.VerbNginxConfig: nginx.ErrUnknownInstance,
	})
	reports, err := ordinaryChecks(t, serveHelper(t, handlers)).Nginx(t.Context())
	require.NoError(t, err)
	require.Len(t, reports, 1, "one has ended meanwhile")
	require.Equal(t, "spare", reports[0].Instance)
}

// A helper that is installed but fails must not make the plugin tell what an ordinary user sees: states would flap.
func TestAHelperThatFailsIsOneSentenceInEachKey(t *testing.T) {
	t.Parallel()

	broken := errors.New("cannot look: the disk is on fire")
	checks := ordinaryChecks(t, serveHelper(t, answers(map[helper.Verb]any{
		helper.VerbOOM: broken, helper.VerbNginx: broken, helper.VerbNginxConfig: broken, helper.VerbListeners: broken,
	})))

	require.Contains(t, evaluate(t, checks, "hosting.oom.get"), `"victims_known":false,"victims_error":"cannot look: the disk is on fire"`)

	for _, key := range []string{"hosting.nginx.discovery", "hosting.nginx.config[x]", "hosting.listener.get[80]"} {
		_, err := evaluateKey(t, checks, key)
		require.ErrorContains(t, err, ": cannot look: the disk is on fire", key)
	}
}

func TestWithoutAHelperEachKeyDoesWhatTheUserMay(t *testing.T) {
	t.Parallel()

	missing := filepath.Join(t.TempDir(), "none.sock")
	checks := ordinaryChecks(t, missing)

	require.Contains(t, evaluate(t, checks, "hosting.oom.get"), `"victims_error":"cannot ask the root helper: `+missing+` is missing; run systemctl enable --now`)
	require.Contains(t, evaluate(t, checks, "hosting.nginx.discovery"), `"{#INSTANCE}":"spare"`)
	require.Contains(t, evaluate(t, checks, "hosting.nginx.config[spare]"), `"instance":"spare"`)
	require.Contains(t, evaluate(t, checks, "hosting.plugin.get"), `"helper":{"state":2,"state_name":"absent"`)
}

func TestASlabReadByTheHelperIsAsOneByRoot(t *testing.T) {
	t.Parallel()

	host := newFixtureHost(t)
	host.become("after")

	info, err := slab.ReadInfo(host.options.ProcPath, nil)
	require.NoError(t, err)

	kinds, err := slab.ReadKinds(host.options.ProcPath, host.options.SysPath)
	require.NoError(t, err)

	client := helper.NewClient(serveHelper(t, answers(map[helper.Verb]any{helper.VerbSlabinfo: info, helper.VerbSlabKinds: kinds})))
	defer client.Close()

	source := sourceOf(client)

	asked, err := source.Slabinfo(make([]byte, 0, 8))
	require.NoError(t, err)
	require.Equal(t, string(info), string(asked))

	askedKinds, err := source.Kinds()
	require.NoError(t, err)
	require.Equal(t, kinds, askedKinds)
	require.Contains(t, kinds, "dentry")

	none := sourceOf(helper.NewClient(filepath.Join(os.TempDir(), "no-such-helper.sock")))
	_, err = none.Slabinfo(nil)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.Equal(t, StateNoPermission, StateOf(err))
	require.Nil(t, sourceOf(nil))
}

// A sample each minute kept the helper from ever being idle.
func TestTheHelperReadsSlabCachesOnlyWhileSomebodyAsks(t *testing.T) {
	t.Parallel()

	checks := ordinaryChecks(t, filepath.Join(t.TempDir(), "none.sock"))
	require.False(t, checks.wantsSamples())

	evaluate(t, checks, "hosting.slab.top")
	require.True(t, checks.wantsSamples())

	checks.slabAskedAt.Store(time.Now().Add(-checks.slabHistory).UnixNano())
	require.False(t, checks.wantsSamples())

	checks.helper = nil
	require.True(t, checks.wantsSamples(), "root itself reads always")
}
