package probe

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

// watchedUDP is a probe that also watches UDP.
func watchedUDP(t *testing.T) (p *Probe, possible bool) {
	t.Helper()

	p, possible = watched(t, RingSize)
	if possible {
		require.NoError(t, p.WatchUDP(cgroup.Unified("/sys")))
	}

	return p, possible
}

func ports(numbers ...uint16) map[uint16]struct{} {
	all := make(map[uint16]struct{})
	for _, n := range numbers {
		all[n] = struct{}{}
	}

	return all
}

func TestUDPSocketsOnPortsOfInterestAreTold(t *testing.T) {
	p, possible := watchedUDP(t)
	if !possible {
		return
	}

	require.NoError(t, p.SetPorts(ports(1, 2000)))
	require.NoError(t, p.SetPorts(ports()))
	require.NoError(t, p.SetPorts(ports(2000, 2001)))

	o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{
		{Address: "127.0.0.1:2000", UDP: true},
		{Address: "[::1]:2001", UDP: true},
		{Address: "127.0.0.1:1", UDP: true},
		{Address: "127.0.0.1:0", UDP: true},
	}}, inItsOwn())
	o.Stop()

	var records []Record

	ends := make(map[uint64]Kind)

	for _, r := range drain(t, p, 0) {
		if r.NamespaceID == o.NamespaceID {
			records = append(records, r)
		} else {
			ends[r.Socket.Cookie] = r.Kind
		}
	}

	require.Len(t, records, 2)

	for i, address := range []string{"127.0.0.1:2000", "[::1]:2001"} {
		r := records[i]
		require.Equal(t, Record{
			Kind: Opened, SinceBoot: r.SinceBoot, NamespaceID: o.NamespaceID, Tasks: r.Tasks, Arguments: r.Arguments, Program: r.Program,
			Socket: listener.Socket{
				Network: listener.UDP, Address: netip.MustParseAddrPort(address), Cookie: r.Socket.Cookie, CgroupID: r.Socket.CgroupID,
			},
		}, r)
		require.Equal(t, o.PID, r.Tasks[0].PID)
		require.NotEmpty(t, r.Arguments)
		require.Equal(t, Closed, ends[r.Socket.Cookie])
	}
}

// TestTheEndOfAUDPSocketThatWasBoundBeforeIsTold is for those of an nginx whose ports were not of interest yet.
func TestTheEndOfAUDPSocketThatWasBoundBeforeIsTold(t *testing.T) {
	const port = 2000

	p, possible := watchedUDP(t)
	if !possible {
		return
	}

	o := listeners.Start(t, listeners.Task{Interfaces: true, Sockets: []listeners.Socket{{Address: "127.0.0.1:2000", UDP: true}}}, inItsOwn())
	s, err := listener.NewReader("/proc", "/sys").Snapshot(t.Context(), listener.Query{Port: port, PID: o.PID})
	require.NoError(t, err)
	require.Len(t, s.Sockets, 1)
	require.NoError(t, p.SetPorts(ports(port)))
	require.NoError(t, p.FollowUDP([]uint64{s.Sockets[0].Cookie}))
	o.Stop()

	require.True(t, slices.ContainsFunc(drain(t, p, 0), func(r Record) bool {
		return r.Kind == Closed && r.Socket.Network == listener.UDP && r.Socket.Cookie == s.Sockets[0].Cookie
	}))
}

func TestTooManyUDPPortsAreRefused(t *testing.T) {
	p, possible := watchedUDP(t)
	if !possible {
		return
	}

	many := make(map[uint16]struct{})
	for n := range uint16(MaxPorts + 1) {
		many[n] = struct{}{}
	}

	require.EqualError(t, p.SetPorts(many), "cannot watch 1025 UDP ports: there is room for 1024")
	delete(many, 0)
	require.NoError(t, p.SetPorts(many))
}

func TestACgroupThatIsNotThereLeavesTCPWatched(t *testing.T) {
	p, possible := watched(t, RingSize)
	if !possible {
		return
	}

	require.ErrorContains(t, p.WatchUDP(t.TempDir()), "cannot watch UDP sockets in the kernel: ")
	require.Len(t, p.loaded, 2)

	o := listeners.Start(t, listeners.Task{Interfaces: true, Listeners: 1}, inItsOwn())
	require.Len(t, drain(t, p, o.NamespaceID), 2)
}
