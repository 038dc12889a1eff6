package listener

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// foreigners asks who listens on the addresses of these masters, on one port.
func foreigners(t *testing.T, port uint16, masters ...Master) *Foreigners {
	t.Helper()

	r := NewReader("/proc", "/sys")
	s, err := r.Snapshot(limited(t), Query{Port: port})
	require.NoError(t, err)

	found, err := r.Foreigners(limited(t), s, masters)
	require.NoError(t, err)

	return found
}

// portOfNginx is the one of 127.0.0.1 that it listens on.
func portOfNginx(t *testing.T, n *nginx.Nginx) uint16 {
	t.Helper()

	address, err := netip.ParseAddrPort(n.Addr())
	require.NoError(t, err)

	return address.Port()
}

var shared = nginx.Options{ReusePort: true, Workers: 2}

func TestARealNginxAloneHasNoForeigners(t *testing.T) {
	n := nginx.StartT(t, nginx.Options{ReusePort: true, Workers: 2, TLS: true})
	master := Master{PID: n.PID()}

	require.Equal(t, &Foreigners{Masters: []MasterState{{PID: n.PID(), Sockets: 2}}}, foreigners(t, portOfNginx(t, n), master))
	require.Equal(t, &Foreigners{Masters: []MasterState{{PID: n.PID(), Sockets: 4}}}, foreigners(t, 0, master))

	require.NoError(t, n.Reload(nginx.Options{Workers: 3, ReusePort: true}))
	require.Empty(t, foreigners(t, 0, master).Found)
}

func TestAProcessThatSharesThePortOfARealNginxIsNamed(t *testing.T) {
	n := nginx.StartT(t, shared)
	address := netip.MustParseAddrPort(n.Addr())
	stranger := start(t, childTask{Listen: []listenTask{{Network: TCP, Address: n.Addr(), ReusePort: true}}}, nil)

	found := foreigners(t, address.Port(), Master{PID: n.PID()})
	require.Len(t, found.Found, 1)

	got := found.Found[0]
	require.Len(t, got.Processes, 1)
	require.Equal(t, stranger.pid(), got.Processes[0].PID)
	require.Equal(t, os.Getpid(), got.Processes[0].PPID)
	require.Equal(t, "listener-test-child with?escape", got.Processes[0].CommandLine)
	require.Contains(t, got.Processes[0].Executable, "listener.test")
	require.Equal(t, new(uint32(os.Geteuid())), got.Processes[0].UID)
	require.Len(t, got.Sockets, 1)
	require.Equal(t, []int{stranger.pid()}, got.Sockets[0].PIDs)

	require.Equal(t, Foreigner{
		MasterPID: n.PID(), Network: TCP, Address: address, MasterAddress: address, Relation: RelationSameAddress,
		RelationName: "same_address", SharePct: new(100.0 / 3), Sockets: got.Sockets, Processes: got.Processes,
		Sentence: fmt.Sprintf("1 of the 3 sockets on %s are not nginx's: the kernel gives them about 33 %% of the new connections", address),
	}, got)
	require.Positive(t, found.Search.Processes)

	stranger.stop()
	require.Empty(t, foreigners(t, address.Port(), Master{PID: n.PID()}).Found)
}

// TestATestOfNginx1130IsNamedWhileItTakesConnections is the incident that this package is for.
func TestATestOfNginx1130IsNamedWhileItTakesConnections(t *testing.T) {
	o := shared
	o.Main = []string{badnginx.Hold(time.Minute)}
	n := nginx.StartT(t, o)
	r := NewReader("/proc", "/sys")
	query := Query{Port: portOfNginx(t, n)}

	before, err := r.Snapshot(limited(t), query)
	require.NoError(t, err)

	program := badnginx.BuildT(t, badnginx.ThiefOfConnections)
	thief, err := os.StartProcess(program, []string{program, "-t", "-p", n.Dir(), "-c", n.ConfPath()}, &os.ProcAttr{})
	require.NoError(t, err)

	defer func() {
		_ = thief.Kill()
		_, _ = thief.Wait()
	}()

	var during *Snapshot

	require.Eventually(t, func() bool {
		during, err = r.Snapshot(limited(t), query)

		return err == nil && len(during.Sockets) == 4
	}, 20*time.Second, 5*time.Millisecond)

	appeared := Diff(before, during).Appeared
	require.Len(t, appeared, 2)

	named, err := r.Name(limited(t), 0, appeared)
	require.NoError(t, err)
	require.Equal(t, []int{thief.Pid}, named.Groups[0].PIDs)
	require.Equal(t, program, named.Processes[0].Executable)

	found, err := r.Foreigners(limited(t), during, []Master{{PID: n.PID()}})
	require.NoError(t, err)
	require.Len(t, found.Found, 1)
	require.Equal(t, new(50.0), found.Found[0].SharePct)
	require.Equal(t, thief.Pid, found.Found[0].Processes[0].PID)
	require.Contains(t, found.Found[0].Processes[0].CommandLine, " -t ")
}

func TestAForeignerOnAnAddressThatOverlaps(t *testing.T) {
	for name, c := range map[string]struct {
		own, stranger string
		network       Network
		relation      Relation
		share         *float64
		sentence      string
	}{
		"one address of any": {
			"0.0.0.0", "127.0.0.1", TCP, RelationMoreSpecific, new(100.0),
			"127.0.0.1:PORT is more specific than nginx's 0.0.0.0:PORT: it gets all new connections to 127.0.0.1",
		},
		"IPv4 of both families": {
			"::", "0.0.0.0", TCP, RelationMoreSpecific, new(100.0),
			"0.0.0.0:PORT is more specific than nginx's [::]:PORT: it gets all new connections over IPv4",
		},
		"both families for IPv4": {
			"0.0.0.0", "::", UDP, RelationLessSpecific, new(0.0),
			"[::]:PORT is less specific than nginx's 0.0.0.0:PORT: it gets those datagrams only while nginx does not listen",
		},
		"a device": {
			"127.0.0.1", "lo 127.0.0.1", TCP, RelationSameAddress, nil,
			"127.0.0.1:PORT on lo and nginx's 127.0.0.1:PORT are equally specific: it depends on their order which one gets the connections",
		},
		"the same address of UDP": {
			"::1", "::1", UDP, RelationSameAddress, nil,
			"1 of the 2 sockets on [::1]:PORT are not nginx's: they take datagrams that were sent to nginx",
		},
	} {
		t.Run(name, func(t *testing.T) {
			own, stranger := at(c.network, c.own), at(c.network, c.stranger)
			own.Address = withPort(own.Address, 0)
			master := start(t, childTask{Listen: []listenTask{own}}, nil)
			port := master.result.Addresses[0].Port()
			stranger.Address = withPort(stranger.Address, port)
			other := start(t, childTask{Listen: []listenTask{stranger}}, nil)

			found := foreigners(t, port, Master{PID: master.pid()}).Found
			require.Len(t, found, 1)
			require.Equal(t, c.relation, found[0].Relation)
			require.Equal(t, c.share, found[0].SharePct)
			require.Equal(t, strings.ReplaceAll(c.sentence, "PORT", strconv.Itoa(int(port))), found[0].Sentence)
			require.Equal(t, other.pid(), found[0].Processes[0].PID)
			require.Equal(t, master.result.Addresses[0], found[0].MasterAddress)
		})
	}
}

func TestAProcessOfTheMastersTreeIsNoForeigner(t *testing.T) {
	port := reservedPort(t)
	same := []listenTask{at(TCP, withPort("127.0.0.1", port))}
	master := start(t, childTask{Listen: same, Child: &childTask{Child: &childTask{Listen: same}}}, nil)

	found := foreigners(t, port, Master{PID: master.pid()})
	require.Empty(t, found.Found)
	require.NotNil(t, found.Search, "the grandchild's socket is its own, so its parents had to be found")
}

// TestASocketFromSystemdIsNginxs has this process hold what the master inherited, as systemd does.
func TestASocketFromSystemdIsNginxs(t *testing.T) {
	fd, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})
	master := start(t, childTask{}, nil, inherited(t, fd))

	require.Equal(t, &Foreigners{Masters: []MasterState{{PID: master.pid(), Sockets: 1}}},
		foreigners(t, address.Port(), Master{PID: master.pid()}))
}

func TestTwoMastersOfAnUpgradeAreOneNginx(t *testing.T) {
	o := shared
	o.Daemon = true
	n := nginx.StartT(t, o)
	port, first := portOfNginx(t, n), n.PID()

	second, err := n.BeginUpgrade()
	require.NoError(t, err)

	for _, masters := range [][]Master{{{PID: first}}, {{PID: second}}, {{PID: first}, {PID: second}}} {
		require.Empty(t, foreigners(t, port, masters...).Found)
	}

	stranger := start(t, childTask{Listen: []listenTask{{Network: TCP, Address: n.Addr(), ReusePort: true}}}, nil)
	found := foreigners(t, port, Master{PID: first}, Master{PID: second}).Found
	require.Len(t, found, 1, "once, not once for each master")
	require.Equal(t, stranger.pid(), found[0].Processes[0].PID)
	stranger.stop()

	require.NoError(t, n.FinishUpgrade())
	require.Empty(t, foreigners(t, port, Master{PID: second}).Found)
}

// TestASocketThatVanishedIsNoForeigner is what a reload of nginx between the snapshot and the look at its descriptors
// would otherwise be taken for.
func TestASocketThatVanishedIsNoForeigner(t *testing.T) {
	master := start(t, childTask{Listen: []listenTask{at(TCP, "127.0.0.1:0")}}, nil)
	address := master.result.Addresses[0]
	closed, _, err := (&listenTask{Network: TCP, Address: address.String(), ReusePort: true}).open()
	require.NoError(t, err)

	r := NewReader("/proc", "/sys")
	s, err := r.Snapshot(limited(t), Query{Port: address.Port()})
	require.NoError(t, err)
	require.Len(t, s.Sockets, 2)
	require.NoError(t, unix.Close(closed))

	found, err := r.Foreigners(limited(t), s, []Master{{PID: master.pid()}})
	require.NoError(t, err)
	require.Empty(t, found.Found)
	require.Equal(t, 1, found.Vanished)
}

// TestASocketWhoseHolderIsHiddenIsAForeigner has nobody found who holds a socket that is still there, as happens to those
// who may not read the descriptors of others.
func TestASocketWhoseHolderIsHiddenIsAForeigner(t *testing.T) {
	_, address := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})
	sockets := snapshot(t, Query{Port: address.Port()})
	strangers := []stranger{{socket: &sockets[0], own: &sockets[0], family: &family{masters: []int{1}}}}

	kept, vanished := NewReader("/proc", "/sys").confirm(limited(t), Query{Port: address.Port()}, strangers, holdings{})
	require.Zero(t, vanished)
	require.Equal(t, strangers, kept)
}
