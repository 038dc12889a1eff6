package table

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/nginx"
)

func TestAnNginxIsShownWithAllThatIsWrong(t *testing.T) {
	t.Parallel()

	text := Nginx(&nginx.Report{
		Instance: "/etc/nginx/nginx.conf", Product: "nginx/1.13.0", Binary: "/usr/sbin/nginx", BinaryReplaced: true,
		Master:    &nginx.Master{PID: 812, Workers: 4, Unit: "nginx.service"},
		StateName: "invalid", Sentence: `unknown directive "proxy_pas" in /etc/nginx/sites-enabled/shop:12`,
		Errors: []nginx.Message{
			{Level: "emerg", Text: `unknown directive "proxy_pas"`, File: "/etc/nginx/sites-enabled/shop", Line: 12},
			{Level: "error", Text: "something else"},
		},
		Warnings: []nginx.Message{{Level: "warn", Text: "conflicting\x1b[2J name"}}, MessagesOmitted: 3,
		Test: &nginx.Test{
			AgeS: 60.2, DurationS: 0.31, TechniqueName: "notify", FilesRead: 12, ChangedFile: "/etc/nginx/sites-enabled/shop",
			Listens: []string{"tcp 0.0.0.0:80", "unix:/run/a.sock"}, ListensOmitted: 2,
		},
		TestRunning: true, TestRunningS: 4, ReloadPending: true, ReloadPendingS: 7200,
		Hazards:     []nginx.Hazard{{Name: "plain_test_scheduled", Where: "/etc/cron.d/x:3", Sentence: "a cron job runs nginx -t"}},
		Foreigners:  []listener.Foreigner{{Sentence: "1 of the 5 sockets are not nginx's"}},
		SideEffects: []nginx.SideEffect{{Sentence: "/x was created"}},
		Problems:    []string{"cannot read /etc/sudoers"},
	})

	require.Equal(t, ""+
		"/etc/nginx/nginx.conf  nginx/1.13.0 /usr/sbin/nginx (the running program's file was replaced; this is the new one), "+
		"master 812 with 4 workers of nginx.service\n"+
		"  state        invalid: unknown directive \"proxy_pas\" in /etc/nginx/sites-enabled/shop:12\n"+
		"               error: something else\n"+
		"               warn: conflicting?[2J name\n"+
		"               and 3 messages more\n"+
		"  test         1m0s ago in 310 ms by notify, 12 files read; made because /etc/nginx/sites-enabled/shop had changed; one is running for 4s\n"+
		"  reload       pending for 2h0m0s: the workers run with another configuration than what is on disk\n"+
		"  listens      tcp 0.0.0.0:80, unix:/run/a.sock and 2 more\n"+
		"  hazard       plain_test_scheduled /etc/cron.d/x:3: a cron job runs nginx -t\n"+
		"  foreigner    1 of the 5 sockets are not nginx's\n"+
		"  side effect  /x was created\n"+
		"  note         cannot read /etc/sudoers\n", text)
}

func TestAnNginxThatDoesNotRunIsShownWithoutAReload(t *testing.T) {
	t.Parallel()

	require.Equal(t, "edge  /usr/sbin/nginx, not running\n  state  not_tested: the first test has not ended yet\n  test\n",
		Nginx(&nginx.Report{Instance: "edge", Binary: "/usr/sbin/nginx", StateName: "not_tested", Sentence: "the first test has not ended yet"}))
}

// Its sentence advised to run by hand what is no nginx.
func TestAProgramWithoutAVerdictIsShownWithTheEndOfItsOutput(t *testing.T) {
	t.Parallel()

	said := "1\n2\n\n3\n4\n5\x1b\n" + strings.Repeat("é", maxOutputLine) + "\n"
	r := &nginx.Report{
		Instance: "/x", Binary: "/bin/sh", State: nginx.StateNotTested, StateName: "not_tested", Sentence: "no verdict",
		Test: &nginx.Test{TechniqueName: "notify", DurationS: 0.004, Output: said},
	}

	require.Equal(t, "/x  /bin/sh, not running\n  state   not_tested: no verdict\n  test    0s ago in 4.00 ms by notify, 0 files read\n"+
		"  output  2\n  output  3\n  output  4\n  output  5?\n  output  "+strings.Repeat("é", maxOutputLine/2)+"…\n", Nginx(r))

	r.Errors = []nginx.Message{{Level: "emerg", Text: "no verdict"}}
	require.NotContains(t, Nginx(r), "output", "what it said is shown already")

	r.State, r.StateName, r.Errors = nginx.StateInvalid, "invalid", nil
	require.NotContains(t, Nginx(r), "output")

	r.Test = &nginx.Test{AgeS: 3}
	require.Equal(t, "/x  /bin/sh, not running\n  state  invalid: no verdict\n  test   could not be made, 3s ago\n", Nginx(r))
}

func TestListenersAreShownWithTheForeignOnesMarked(t *testing.T) {
	t.Parallel()

	some, room := uint32(2), uint32(511)
	text := Listeners(&listener.Report{
		Groups: []listener.Group{
			{
				Network: listener.TCP, Address: netip.MustParseAddrPort("0.0.0.0:80"), Foreign: true, SocketCount: 5, ReusePort: new(true),
				Sockets: []listener.HeldSocket{{Queue: &some, Backlog: &room}, {Queue: &some, Backlog: &room}}, PIDs: []int{812, 813, 814, 4711},
			},
			{Network: listener.UDP, Address: netip.MustParseAddrPort("[::]:53"), NamespacePID: 99, Interface: "eth0", SocketCount: 1, Sockets: []listener.HeldSocket{{}}},
		},
		GroupsOmitted: 7,
		Processes:     []listener.Process{{PID: 812, Name: "nginx", Unit: "nginx.service"}, {PID: 813, Name: "nginx"}},
		Foreigners:    []listener.Foreigner{{Sentence: "python3 gets 20 % of the new connections"}},
		Masters:       []listener.MasterState{{PID: 900, Error: "cannot read the descriptors of process 900"}},
	})

	require.Equal(t, ""+
		"    address                                   sockets  reuseport   queue  processes\n"+
		"!!  tcp 0.0.0.0:80                                  5  yes        4/1022  nginx[812] of nginx.service, nginx[813], ?[814], 1 more\n"+
		"    udp [::]:53%eth0 (network of process 99)        1  ?               -  ?\n"+
		"and 7 addresses more; choose a port\n"+
		"\n!! python3 gets 20 % of the new connections\n"+
		"\nnote: cannot read the descriptors of process 900\n"+
		"\nnote: the root helper looks for the processes of one port only: use --port\n", text)
}

func TestListenersSayWhyTheirProcessesAreUnknown(t *testing.T) {
	t.Parallel()

	group := func(foreign bool, pids ...int) listener.Group {
		return listener.Group{Network: listener.TCP, Address: netip.MustParseAddrPort("127.0.0.1:80"), Foreign: foreign, SocketCount: 1, PIDs: pids}
	}
	search := &listener.Search{Note: "9 processes unreadable: run as root or through the helper"}

	const head, row = "  address           sockets  reuseport  queue  processes\n", "  tcp 127.0.0.1:80        1  ?            0/0  "

	for name, test := range map[string]struct {
		report listener.Report
		want   string
	}{
		// Both were a table without a word of why it is empty.
		"an ordinary user without a helper": {listener.Report{Port: 80, Groups: []listener.Group{group(false)}, Search: search}, head + row + "?\n\nnote: " + search.Note + "\n"},
		"a port without a listener":         {listener.Report{Port: 9}, "nobody listens on port 9\n"},
		"a host without a listener":         {listener.Report{}, "nobody listens\n"},
		"all ports, by the helper":          {listener.Report{Groups: []listener.Group{group(false)}}, head + row + "?\n\nnote: " + ofOnePort + "\n"},
		"a socket that nobody holds": {
			listener.Report{Groups: []listener.Group{group(false, 7), group(false)}, Search: &listener.Search{}}, head + row + "?[7]\n" + row + "?\n",
		},
		"a host whose kernel alone listens": {listener.Report{Groups: []listener.Group{group(false)}, Search: &listener.Search{}}, head + row + "?\n"},
		"processes that are all known":      {listener.Report{Port: 80, Groups: []listener.Group{group(false, 7)}, Search: search}, head + row + "?[7]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, Listeners(&test.report))
		})
	}
}

func TestTheSameReasonOfBothNetworksIsToldOnce(t *testing.T) {
	t.Parallel()

	polling := watch.Coverage{State: watch.StatePolling, Reason: "cannot watch"}
	require.Equal(t, 1, strings.Count(Events(&watch.Events{TCP: polling, UDP: polling}), "note: cannot watch\n"))
	require.Equal(t, 1, strings.Count(Events(&watch.Events{UDP: polling}), "note: "))
}
