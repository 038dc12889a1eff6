package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
	"zabbix-agent2-plugin-hosting/testenv/child"
)

const (
	// peerVariable has the test binary ask at the socket that it names.
	peerVariable = "HELPER_TEST_PEER"
	peerAsks     = 50

	configured = 1000
	nobody     = 65534
)

// peerResult is what a peer was told each time.
type peerResult struct {
	PID, UID int
	States   map[string]int
	Errors   map[string]int
}

// bePeer asks many times, each on a connection of its own, and prints what came of it.
func bePeer(socket string) int {
	result := peerResult{PID: os.Getpid(), UID: os.Getuid(), States: map[string]int{}, Errors: map[string]int{}}

	for range peerAsks {
		client := helper.NewClient(socket)
		if _, err := client.Status(context.Background()); err != nil {
			result.Errors[err.Error()]++
		}

		result.States[client.Health().State.String()]++
		client.Close()
	}

	_ = json.NewEncoder(os.Stdout).Encode(result)

	return 0
}

func runPeer(t *testing.T, socket string, attributes *syscall.SysProcAttr) (result peerResult) {
	t.Helper()

	// Opened, because an ordinary user could not reach the directory.
	own, err := os.Open("/proc/self/exe")
	require.NoError(t, err)

	defer own.Close()

	var out strings.Builder

	cmd := exec.Command("/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{own}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), peerVariable+"="+socket)
	cmd.Stdout, cmd.Stderr = &out, &out
	attributes.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr = attributes

	exited, err := child.Start(cmd)
	require.NoError(t, err)
	<-exited
	require.NoError(t, json.Unmarshal([]byte(out.String()), &result), out.String())

	return result
}

// TestOnlyRootAndTheConfiguredUserMayAsk has processes of other users ask, where the test is root and can start some.
func TestOnlyRootAndTheConfiguredUserMayAsk(t *testing.T) {
	t.Parallel()

	f := start(t, Options{Allowed: func(uid uint32) bool { return uid == 0 || uid == configured }})
	as := func(uid uint32) *syscall.SysProcAttr {
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: 0}}
	}
	tests := map[string]struct {
		as      *syscall.SysProcAttr
		allowed bool
		uid     int
	}{
		"root":                {as(0), true, 0},
		"the configured user": {as(configured), true, configured},
		"the next user":       {as(configured + 1), false, configured + 1},
		"a system user":       {as(1), false, 1},
		"nobody":              {as(nobody), false, nobody},
		"the last user":       {as(1<<32 - 2), false, 1<<32 - 2},
		"root of a user namespace of nobody's": {&syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			Credential:  &syscall.Credential{NoSetGroups: true},
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: nobody, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: nobody, Size: 1}},
		}, false, nobody},
	}

	if os.Geteuid() != 0 {
		tests = map[string]struct {
			as      *syscall.SysProcAttr
			allowed bool
			uid     int
		}{"this user": {&syscall.SysProcAttr{}, os.Getuid() == configured, os.Getuid()}}
	}

	refused := 0

	for name, test := range tests {
		got := runPeer(t, f.socket, test.as)
		want := peerResult{PID: got.PID, UID: got.UID, States: map[string]int{"ok": peerAsks}, Errors: map[string]int{}}

		if !test.allowed {
			refused += peerAsks
			want.States = map[string]int{"refused": peerAsks}
			want.Errors = map[string]int{
				fmt.Sprintf("cannot ask the root helper: user %d (process %d) may not ask; run as root or as the agent's user", test.uid, got.PID): peerAsks,
			}
		}

		require.Equal(t, want, got, name)
	}

	require.EqualValues(t, refused, f.status().Refused)
	require.Equal(t, min(refused, 1), strings.Count(f.journal.String(), "\n"), "the journal holds one line a minute")

	if refused > 0 {
		require.Regexp(t, `^<4>refused user \d+ \(process \d+\): only root and the configured user may ask\n$`, f.journal.String())
	}
}

func TestWhoMayNotAskReachesNoHandler(t *testing.T) {
	t.Parallel()

	f := start(t, Options{
		Allowed:  func(uint32) bool { return false },
		Handlers: allVerbs(func(context.Context, helper.Request) (any, error) { panic("it was reached") }),
	})

	for _, info := range helper.Verbs() {
		status, body := f.get(t, helper.Request{Verb: info.Verb}.Target())
		require.Equal(t, http.StatusForbidden, status)
		require.Equal(t, failed(helper.CodeRefused,
			fmt.Sprintf("user %d (process %d) may not ask; run as root or as the agent's user", os.Getuid(), os.Getpid())), body)
	}

	require.Zero(t, f.requests.Load())
}

// TestWhoMayNotAskCannotTakePlaces has more of them come than are told why.
func TestWhoMayNotAskCannotTakePlaces(t *testing.T) {
	t.Parallel()

	f := start(t, Options{Allowed: func(uint32) bool { return false }})

	for range 10 * maxTold {
		f.dial(t) // and says nothing
	}

	require.Eventually(t, func() bool { return f.status().Refused == 10*maxTold }, tellLimit, tellLimit/100, "nobody waits for them")
	require.Zero(t, f.status().Connections)

	require.Eventually(t, func() bool { return len(f.peers.telling) == 0 }, 20*tellLimit, tellLimit)
	status, _ := f.get(t, "/v1/status")
	require.Equal(t, http.StatusForbidden, status, "the next is told why again")
}
