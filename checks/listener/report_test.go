package listener

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

func read(t *testing.T, o Options) *Report {
	t.Helper()

	report, err := NewReader("/proc", "/sys").Read(limited(t), o)
	require.NoError(t, err)

	return report
}

func TestAReportOfARealNginxAndAForeigner(t *testing.T) {
	n := nginx.StartT(t, shared)
	port := portOfNginx(t, n)
	options := Options{Port: port, Masters: []Master{{PID: n.PID()}}, Processes: true}

	alone := read(t, options)
	require.Empty(t, alone.Foreigners)
	require.False(t, alone.Groups[0].Foreign)
	require.Equal(t, 2, alone.TCPListeners)

	stranger := start(t, childTask{Listen: []listenTask{{Network: TCP, Address: n.Addr(), ReusePort: true}}}, nil)

	got := read(t, options)
	require.Len(t, got.Groups, 1)
	require.Len(t, got.Foreigners, 1)
	require.Len(t, got.Processes, 4, "a master, two workers, and the foreigner")
	require.NotZero(t, got.Namespaces[0].ID)
	require.NotNil(t, got.Namespaces[0].Counters.ResetsSent)

	require.Equal(t, &Report{
		Schema: 1, Port: port, TCPListeners: 3,
		Namespaces: []Namespace{{
			ID: got.Namespaces[0].ID, TCPListeners: 3, TCPMigrateReq: got.Namespaces[0].TCPMigrateReq, Counters: got.Namespaces[0].Counters,
		}},
		Groups: []Group{{
			Network: TCP, Address: netip.MustParseAddrPort(n.Addr()), ReusePort: new(true), ReusePortSource: ReusePortInferred,
			ReusePortSourceName: "inferred", Foreign: true, SocketCount: 3, Sockets: got.Groups[0].Sockets, PIDs: got.Groups[0].PIDs,
		}},
		Processes:       got.Processes,
		Masters:         []MasterState{{PID: n.PID(), Sockets: 2}},
		Foreigners:      got.Foreigners,
		ForeignersKnown: true,
		Search:          got.Search,
	}, got)
	require.ElementsMatch(t, append(n.Workers(), n.PID(), stranger.pid()), got.Groups[0].PIDs)
	require.Equal(t, stranger.pid(), got.Foreigners[0].Processes[0].PID)

	options.Processes = false
	quick := read(t, options)
	require.Equal(t, got.Foreigners, quick.Foreigners)
	require.Equal(t, []int{stranger.pid()}, quick.Groups[0].PIDs, "only strangers were looked for")

	options.Masters = nil
	require.Nil(t, read(t, options).Search)
}

// TestThePayload pins the names and order of the fields.
func TestThePayload(t *testing.T) {
	_, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})
	start(t, childTask{}, nil)

	report := read(t, Options{Port: address.Port(), Processes: true})
	report.Namespaces[0] = Namespace{ID: 4026531840, TCPListeners: 1, TCPMigrateReq: new(0), Counters: Counters{ListenDrops: new(uint64(3))}}
	report.Search = &Search{Processes: 90}
	report.Processes[0] = Process{
		PID: 1, StartedAt: 1.5, Name: "nginx", CommandLine: "nginx -g", UID: new(uint32(0)), Cgroup: "/a.service", Unit: "a.service",
	}
	s := &report.Groups[0].Sockets[0]
	s.Inode, s.Cookie, s.UID, s.CgroupID, s.Cgroup, s.PIDs, report.Groups[0].PIDs = 5, 6, 0, 7, "/a.service", []int{1}, []int{1}

	text, err := json.Marshal(report)
	require.NoError(t, err)
	require.JSONEq(t, strings.ReplaceAll(`{
		"schema": 1, "port": PORT, "tcp_listeners": 1, "udp_sockets": 0,
		"namespaces": [{"id": 4026531840, "tcp_listeners": 1, "udp_sockets": 0, "sockets_omitted": 0, "tcp_migrate_req": 0, "counters": {"listen_drops": 3}}],
		"groups": [{
			"network": "tcp", "address": "127.0.0.1:PORT", "reuseport": false, "reuseport_source": 2, "reuseport_source_name": "asked",
			"foreign": false, "socket_count": 1,
			"sockets": [{"inode": 5, "cookie": 6, "uid": 0, "cgroup_id": 7, "cgroup": "/a.service", "queue": 0, "backlog": 7, "pids": [1]}],
			"pids": [1]
		}],
		"groups_omitted": 0,
		"processes": [{
			"pid": 1, "ppid": 0, "started_at": 1.5, "name": "nginx", "command_line": "nginx -g", "uid": 0, "cgroup": "/a.service", "unit": "a.service"
		}],
		"masters": [], "foreigners": [], "foreigners_omitted": 0, "foreigners_known": true, "sockets_vanished": 0,
		"search": {"processes": 90, "unreadable": 0, "unsearched": 0}
	}`, "PORT", fmt.Sprint(address.Port())), string(text))
}

func TestAReportCoversTheNetworkNamespacesOfTheMasters(t *testing.T) {
	shared := at(TCP, withPort("127.0.0.1", reservedPort(t)))
	inside, possible := startElsewhere(t, childTask{LoopbackUp: true, Listen: []listenTask{shared}, Child: &childTask{}}, elsewhere())
	if !possible {
		return
	}

	open(t, shared)

	got := read(t, Options{
		Port: inside.result.Addresses[0].Port(), Masters: []Master{{PID: inside.pid()}, {PID: inside.result.Child.PID}, {PID: os.Getpid()}},
	})
	require.Len(t, got.Namespaces, 2)
	require.Zero(t, got.Namespaces[0].PID)
	require.Equal(t, inside.pid(), got.Namespaces[1].PID)
	require.NotEqual(t, got.Namespaces[0].ID, got.Namespaces[1].ID)
	require.NotNil(t, got.Namespaces[1].Counters.ListenDrops)
	require.Equal(t, 2, got.TCPListeners)
	require.Len(t, got.Groups, 2)
	require.ElementsMatch(t, []int{0, inside.pid()}, []int{got.Groups[0].NamespacePID, got.Groups[1].NamespacePID})
	require.Empty(t, got.Foreigners, "the same address elsewhere is another one")
	require.True(t, got.ForeignersKnown)
	require.Len(t, got.Masters, 3)
}

func TestAForeignerInAnotherNetworkNamespaceIsNamed(t *testing.T) {
	shared := at(TCP, withPort("127.0.0.1", reservedPort(t)))
	inside, possible := startElsewhere(t, childTask{
		LoopbackUp: true, Listen: []listenTask{shared}, Child: &childTask{Listen: []listenTask{shared}},
	}, elsewhere())
	if !possible {
		return
	}

	// The child stands for the nginx, its parent for the stranger.
	got := read(t, Options{Masters: []Master{{PID: inside.result.Child.PID}}, Port: inside.result.Addresses[0].Port()})
	require.Len(t, got.Foreigners, 1)
	require.Equal(t, inside.result.Child.PID, got.Foreigners[0].NamespacePID)
	require.Equal(t, inside.pid(), got.Foreigners[0].Processes[0].PID)
}

func TestAReportIsCapped(t *testing.T) {
	port := reservedPort(t)
	for i := range maxGroups + 5 {
		open(t, listenTask{Network: TCP, Address: fmt.Sprintf("127.0.%d.%d:%d", 1+i/250, 1+i%250, port)})
	}

	for range maxSocketsShown + 3 {
		open(t, listenTask{Network: TCP, Address: withPort("127.0.9.9", port), ReusePort: true})
	}

	got := read(t, Options{Port: port})
	require.Len(t, got.Groups, maxGroups)
	require.Equal(t, 6, got.GroupsOmitted)
	require.Equal(t, withPort("127.0.9.9", port), got.Groups[0].Address.String(), "a group is more interesting than a single socket")
	require.Len(t, got.Groups[0].Sockets, maxSocketsShown)
	require.Equal(t, 3, got.Groups[0].SocketsOmitted)
	require.Equal(t, maxSocketsShown+3, got.Groups[0].SocketCount)
}

func TestAListenerWithoutRoomComesFirst(t *testing.T) {
	full := gathering{sockets: []*Socket{{Network: TCP, Cookie: 1, Queue: 8, Backlog: 7}}}
	strange := gathering{strange: true, sockets: []*Socket{{Network: TCP, Cookie: 2}}}
	many := gathering{sockets: []*Socket{{Network: UDP, Cookie: 3, Queue: 9}, {Network: UDP, Cookie: 4}}}
	plain := gathering{sockets: []*Socket{{Network: TCP, Queue: 9}}}

	all := []gathering{plain, many, full, strange}
	sortByInterest(all)
	require.Equal(t, []gathering{strange, full, many, plain}, all)
}

func TestMastersThatAreGoneOrTooManyAreSaid(t *testing.T) {
	gone := start(t, childTask{}, nil)
	gone.stop()

	got := read(t, Options{Port: 1, Masters: []Master{{PID: gone.pid()}}})
	require.False(t, got.ForeignersKnown)
	require.Contains(t, got.Masters[0].Error, "it may have ended")
}

func TestAReportWithoutProcIsAnError(t *testing.T) {
	t.Parallel()

	_, err := NewReader(filepath.Join(t.TempDir(), "no"), "/sys").Read(limited(t), Options{})
	require.ErrorIs(t, err, unix.ENOENT)
}

func TestAReportThatNobodyWaitsForIsLeft(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := NewReader("/proc", "/sys").Read(ctx, Options{})
	require.ErrorIs(t, err, context.Canceled)
}
