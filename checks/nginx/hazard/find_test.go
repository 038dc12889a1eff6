package hazard

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

func tcp(address string, reusePort bool) Bind {
	return Bind{Network: "tcp", Address: netip.MustParseAddrPort(address), ReusePort: reusePort}
}

func udp(address string) Bind { return Bind{Network: "udp", Address: netip.MustParseAddrPort(address)} }

func listens(network string, addresses ...string) []Listener {
	var all []Listener
	for _, address := range addresses {
		all = append(all, Listener{Network: network, Address: netip.MustParseAddrPort(address)})
	}

	return all
}

// running is a host on which nginx listens on its addresses.
func running(version string, binds ...Bind) Facts {
	f := Facts{Program: "nginx/" + version, Base: instance.ParseVersion(version), Running: true, ListeningKnown: true, Binds: binds}
	for _, b := range binds {
		f.Listening = append(f.Listening, Listener{Network: b.Network, Address: b.Address, Path: b.Path})
	}

	return f
}

func ids(all []Hazard) []ID {
	var found []ID
	for _, h := range all {
		found = append(found, h.ID)
	}

	return found
}

func TestReuseportIsAHazardForTheVersionsThatStealOnly(t *testing.T) {
	t.Parallel()

	for version, want := range map[string]bool{
		"1.9.0": false, "1.9.1": true, "1.9.15": true, "1.10.3": true, "1.11.13": true, "1.12.1": true, "1.12.2": false,
		"1.13.0": true, "1.13.3": true, "1.13.4": false, "1.22.1": false, "1.31.4": false, "1.8.1": false,
	} {
		found := Find(running(version, tcp("0.0.0.0:80", true)))
		require.Equal(t, want, len(found) == 1 && found[0].ID == ReusePortTestStealsConnections, "%s: %v", version, found)
	}

	require.Empty(t, Find(running("1.13.0", tcp("0.0.0.0:80", false))))
}

func TestUDPIsAHazardBefore1211(t *testing.T) {
	t.Parallel()

	for version, want := range map[string]bool{"1.13.0": true, "1.20.2": true, "1.21.0": true, "1.21.1": false, "1.22.1": false} {
		found := Find(running(version, udp("0.0.0.0:53")))
		require.Equal(t, want, len(found) == 1 && found[0].ID == UDPTestStealsDatagrams, "%s: %v", version, found)
	}
}

func TestForksCountByTheVersionThatTheyAreMadeOf(t *testing.T) {
	t.Parallel()

	f := running("1.9.3", tcp("0.0.0.0:80", true))
	f.Program = "openresty/1.9.3.2"
	require.Equal(t, []Hazard{{
		ID: 1, Name: "reuseport_test_steals_connections", Severity: SeverityNow,
		Sentence: "openresty/1.9.3.2 listens with reuseport on 0.0.0.0:80: an ordinary test takes connections of clients and resets " +
			"them; upgrade to nginx 1.13.4 or 1.12.2 at least, or take reuseport out",
	}}, Find(f))

	f.Program = "nginx/1.10.3 (Ubuntu)"
	require.Contains(t, Find(f)[0].Sentence, ", unless its distributor has mended that;")
}

func TestAnUnknownVersionIsNoProof(t *testing.T) {
	t.Parallel()

	f := running("", tcp("0.0.0.0:80", true), udp("0.0.0.0:53"))
	f.Program = ""
	found := Find(f)
	require.Equal(t, []ID{ReusePortTestStealsConnections, UDPTestStealsDatagrams}, ids(found))

	for _, h := range found {
		require.Equal(t, SeverityGeneral, h.Severity)
		require.Contains(t, h.Sentence, "nginx of an unknown version listens")
		require.Contains(t, h.Sentence, "; find out its version")
	}
}

func TestTheKernelsHelpIsNamedWhereItIsOff(t *testing.T) {
	t.Parallel()

	f := running("1.13.0", tcp("0.0.0.0:80", true))
	f.MigrateReq = ParseMigrateReq("0\n")
	require.Equal(t, []ID{ReusePortTestStealsConnections, TCPMigrateReqOff}, ids(Find(f)))
	require.Equal(t, SeverityInfo, Find(f)[1].Severity)

	f.MigrateReq = ParseMigrateReq("1\n")
	require.Equal(t, []ID{ReusePortTestStealsConnections}, ids(Find(f)))

	f = running("1.22.1", tcp("0.0.0.0:80", true))
	f.MigrateReq = ParseMigrateReq("0\n")
	require.Empty(t, Find(f))
	require.Nil(t, ParseMigrateReq("x"))
}

func TestDirectoriesThatATestWouldGiveAway(t *testing.T) {
	t.Parallel()

	user, same := uint32(65534), uint32(33)
	give := func(path string) Write {
		return Write{Path: path, Action: "chown", Exists: true, OwnerUID: 33, OwnerGID: 33, UID: &user}
	}

	f := Facts{Running: true, Writes: []Write{
		give("/var/lib/nginx/body"), give("/b"), give("/c"), give("/d"), give("/e"),
		{Path: "/same", Action: "chown", Exists: true, OwnerUID: 33, OwnerGID: 33, UID: &same, GID: &same},
		{Path: "/new", Action: "chown", UID: &user},
		{Path: "/log", Action: "open", Exists: true, OwnerUID: 0},
	}}
	require.Equal(t, []Hazard{{
		ID: 3, Name: "test_would_chown_live_directories", Severity: SeverityNow,
		Sentence: "an ordinary test would give /var/lib/nginx/body, /b, /c and 2 more of the running nginx to user 65534, and whom they " +
			"belong to now fails to write there; let the user directive be the running one's, or stop nginx first",
	}}, Find(f))

	f.Running = false
	require.Equal(t, SeverityGeneral, Find(f)[0].Severity)
}

func TestPortsThatATestWouldOpen(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		bind      Bind
		listening []Listener
		open      bool
	}{
		"nobody":                           {tcp("0.0.0.0:80", false), nil, true},
		"the same address":                 {tcp("1.2.3.4:80", false), listens("tcp", "1.2.3.4:80"), false},
		"another port":                     {tcp("1.2.3.4:80", false), listens("tcp", "1.2.3.4:81"), true},
		"another address":                  {tcp("1.2.3.4:80", false), listens("tcp", "1.2.3.5:80"), true},
		"all addresses":                    {tcp("1.2.3.4:80", false), listens("tcp", "0.0.0.0:80"), false},
		"one of all addresses":             {tcp("0.0.0.0:80", false), listens("tcp", "1.2.3.4:80"), false},
		"UDP on the same port":             {tcp("0.0.0.0:80", false), listens("udp", "0.0.0.0:80"), true},
		"the other family":                 {tcp("[::]:80", false), listens("tcp", "0.0.0.0:80"), true},
		"the other family as a mapped one": {tcp("1.2.3.4:80", false), listens("tcp", "[::ffff:1.2.3.4]:80"), false},
		"a unix socket that is not there":  {Bind{Network: "unix", Path: "/run/a"}, nil, true},
		"a unix socket":                    {Bind{Network: "unix", Path: "/run/a", Exists: true}, []Listener{{Network: "unix", Path: "/run/a"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f := Facts{Base: instance.Version{1, 22, 1}, ListeningKnown: true, Binds: []Bind{test.bind}, Listening: test.listening}
			found := Find(f)
			require.Equal(t, test.open, len(found) == 1 && found[0].ID == TestWouldOpenPorts, "%v", found)

			f.ListeningKnown = false
			require.Empty(t, Find(f))
		})
	}
}

func TestAStaleSocketIsNamed(t *testing.T) {
	t.Parallel()

	f := Facts{ListeningKnown: true, Binds: []Bind{{Network: "unix", Path: "/run/a.sock", Exists: true, Where: "/etc/nginx/a.conf:3"}}}
	require.Equal(t, []Hazard{{
		ID: 5, Name: "stale_unix_socket", Severity: SeverityNow, Where: "/etc/nginx/a.conf:3",
		Sentence: "nobody listens on the socket /run/a.sock, which is there all the same: every test passes, but nginx cannot start; " +
			"remove it while nginx does not run",
	}}, Find(f))
}

func TestAHazardWithoutVictimsIsGeneral(t *testing.T) {
	t.Parallel()

	f := running("1.13.0", tcp("0.0.0.0:80", true))
	f.Listening = nil
	found := Find(f)
	require.Equal(t, []ID{TestWouldOpenPorts, ReusePortTestStealsConnections}, ids(found), "what does harm now comes first")
	require.Equal(t, SeverityGeneral, found[1].Severity)

	f.ListeningKnown = false
	require.Equal(t, SeverityNow, Find(f)[0].Severity, "a running nginx listens, whatever is known")

	f.Running = false
	require.Equal(t, SeverityGeneral, Find(f)[0].Severity)
}

func TestWhoRunsATestIsNamedWithHowMuchItMatters(t *testing.T) {
	t.Parallel()

	f := running("1.22.1", tcp("0.0.0.0:80", true))
	f.Schedule = Schedule{Places: []Place{
		{Kind: KindStart, File: "/lib/nginx.service", Line: 4, Test: "nginx -t"},
		{Kind: KindCron, File: "/etc/cron.d/check", Line: 3, Test: "nginx -t"},
		{Kind: KindZabbix, File: "/opt/check.sh", Line: 2, Test: "nginx -t", Via: "/etc/zabbix/zabbix_agentd.conf:7"},
	}}
	require.Equal(t, []Hazard{
		{
			ID: 6, Name: "plain_test_scheduled", Severity: SeverityGeneral, Where: "/etc/cron.d/check:3",
			Sentence: "a cron job runs nginx -t; take it out and use the test of this plugin",
		},
		{
			ID: 6, Name: "plain_test_scheduled", Severity: SeverityGeneral, Where: "/opt/check.sh:2",
			Sentence: "a UserParameter of the Zabbix agent runs nginx -t for /etc/zabbix/zabbix_agentd.conf:7; " +
				"take it out and use the test of this plugin",
		},
		{
			ID: 8, Name: "plain_test_at_start", Severity: SeverityInfo, Where: "/lib/nginx.service:4",
			Sentence: "a unit runs nginx -t when it starts or reloads, as distributions have it",
		},
	}, Find(f))

	f.Base = instance.Version{1, 13, 0}
	found := Find(f)
	require.Equal(t, []ID{1, 6, 6, 8}, ids(found))
	require.Equal(t, SeverityNow, found[2].Severity)
	require.Equal(t, SeverityGeneral, found[3].Severity)
}

func TestManyPlacesAreCounted(t *testing.T) {
	t.Parallel()

	f := Facts{Schedule: Schedule{Places: make([]Place, maxPlaces+3), Omitted: 4}}
	found := Find(f)
	require.Len(t, found, maxPlaces)
	require.True(t, strings.HasSuffix(found[maxPlaces-1].Sentence, "; 7 more places run one"))
}

func TestUnixListenersAreRead(t *testing.T) {
	t.Parallel()

	const text = "Num       RefCount Protocol Flags    Type St Inode Path\n" +
		"ffff8a2b12345678: 00000002 00000000 00010000 0001 01 23456 /run/a b.sock\n" +
		"ffff8a2b12345678: 00000003 00000000 00000000 0001 03 23457 /run/connected.sock\n" +
		"0000000000000000: 00000002 00000000 00010000 0001 01     7 @abstract\n" +
		"ffff8a2b12345678: 00000002 00000000 00010000 0001 01 23459\n" +
		"nonsense\n"
	got, err := ParseUnixListeners(strings.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, []Listener{{Network: "unix", Path: "/run/a b.sock"}, {Network: "unix", Path: "@abstract"}}, got)
}

func TestTheSocketOfAKilledNginxIsStale(t *testing.T) {
	t.Parallel()

	n := nginx.StartT(t, nginx.Options{Unix: true})
	socket := Bind{Network: "unix", Path: n.SocketPath(), Exists: true}
	require.Empty(t, Find(Facts{ListeningKnown: true, Binds: []Bind{socket}, Listening: unixListeners(t)}))

	require.NoError(t, n.Signal(unix.SIGKILL))
	require.NoError(t, n.Halt())
	require.FileExists(t, n.SocketPath())

	var found []Hazard

	// The workers lose it a moment after their master.
	for deadline := time.Now().Add(10 * time.Second); len(found) == 0 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		found = Find(Facts{ListeningKnown: true, Binds: []Bind{socket}, Listening: unixListeners(t)})
	}

	require.Equal(t, []ID{StaleUnixSocket}, ids(found))
}

func unixListeners(t *testing.T) []Listener {
	t.Helper()

	file, err := os.Open("/proc/net/unix")
	require.NoError(t, err)

	defer func() { require.NoError(t, file.Close()) }()

	all, err := ParseUnixListeners(file)
	require.NoError(t, err)

	return all
}

func TestNamesAreThoseOfTheValueMap(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{
		0: "none", 1: "reuseport_test_steals_connections", 2: "udp_test_steals_datagrams", 3: "test_would_chown_live_directories",
		4: "test_would_open_ports", 5: "stale_unix_socket", 6: "plain_test_scheduled", 7: "tcp_migrate_req_off", 8: "plain_test_at_start",
	}, IDs())
	require.Equal(t, "hazard_9", ID(9).String())
	require.Equal(t, "severity_9", Severity(9).String())
	require.Equal(t, "now", SeverityNow.String())
	require.Equal(t, "kind_9", Kind(9).String())
	require.Equal(t, "zabbix", KindZabbix.String())
}
