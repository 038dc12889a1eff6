package site

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

func TestSitesAreNotTestedWhileNoDescriptorIsFree(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		serveElsewhere(t, apart.Place{})

		return
	}

	var sites []Site
	for name, target := range targets(t) {
		sites = append(sites, Site{Name: name, Target: target, Interval: minInterval})
	}

	m := NewMonitor(sites)

	// each waits until a condition holds for every site that has begun at its counters of now.
	each := func(holds func(before, now SiteState) bool) {
		before := m.Summary()

		require.Eventually(t, func() bool {
			for i, now := range m.Summary() {
				if !holds(before[i], now) {
					return false
				}
			}

			return true
		}, time.Minute, 10*time.Millisecond)
	}
	succeeds := func(before, now SiteState) bool { return now.OK >= before.OK+2 }

	// The first probes already lack descriptors: what a process reads once is missing then.
	lift, err := apart.LimitDescriptors(0)
	require.NoError(t, err)
	m.Start()
	each(func(before, now SiteState) bool { return now.NotTested >= before.NotTested+3 })
	require.NoError(t, lift())
	each(succeeds)

	lift, err = apart.LimitDescriptors(0)
	require.NoError(t, err)
	each(func(before, now SiteState) bool { return now.NotTested >= before.NotTested+3 })
	require.NoError(t, lift())
	each(succeeds)
	m.Stop()

	for _, s := range m.Summary() {
		require.Zero(t, s.Failed, s.Name)
		require.Zero(t, s.ConsecutiveFailures, s.Name)

		r, err := m.Report(s.Name)
		require.NoError(t, err)
		require.Equal(t, s.NotTested, r.Reasons["local_error"])

		phase := map[string]string{"by address": "connect", "by name": "resolve", "encrypted": "connect"}[s.Name]
		requireLocal(t, r.Evidence[0], phase, "too many open files")
		require.Contains(t, r.Evidence[0].Sentence, "check its open files")
	}
}

// crypto/x509 reads the system's authorities once. Where no descriptor was free then, no certificate was trusted any more.
func TestAuthoritiesThatCouldNotBeReadOnceAreReadAgain(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		serveElsewhere(t, apart.Place{})

		return
	}

	prober := NewProber(targets(t)["encrypted"])

	// One is for the connection, and the file of authorities lacks its own.
	lift, err := apart.LimitDescriptors(1)
	require.NoError(t, err)
	requireLocal(t, prober.Probe(context.Background()), "tls", "too many open files")
	require.NoError(t, lift())

	result := prober.Probe(context.Background())
	require.Equal(t, "ok", result.ReasonName, result.Sentence)
}

// What the kernel lacks is none of the site's business, whichever call it refuses.
func TestWhatTheKernelRefusesThisHostIsNoFailureOfTheSite(t *testing.T) {
	t.Parallel()

	calls := map[string]uint32{"socket": unix.SYS_SOCKET, "connect": unix.SYS_CONNECT}

	for call, number := range calls {
		for _, refusal := range []syscall.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EADDRNOTAVAIL, unix.EPERM} {
			t.Run(call+" "+unix.ErrnoName(refusal), func(t *testing.T) {
				t.Parallel()

				if !apart.Here() {
					serveElsewhere(t, apart.Place{})

					return
				}

				require.NoError(t, apart.RefuseCall(number, refusal))
				requireLocal(t, NewProber(targets(t)["by address"]).Probe(context.Background()), "connect", refusal.Error())
				requireLocal(t, NewProber(targets(t)["by name"]).Probe(context.Background()), "resolve", "")
			})
		}
	}
}

// Each process of a busy host uses up the ports that lead to one server.
func TestSitesAreNotTestedWhileNoLocalPortIsFree(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	require.NoError(t, apart.RaiseInterfaces())

	web := badsite.StartT(t, badsite.OK())
	dns := baddns.StartT(t, baddns.Answers(), baddns.Zone{baddns.Name: {netip.MustParseAddr("127.0.0.1")}})
	_, port, err := net.SplitHostPort(web.Addr())
	require.NoError(t, err)

	probe := func(host, source string) *Result {
		target, err := NewTarget("http://" + net.JoinHostPort(host, port) + "/")
		require.NoError(t, err)

		target.Resolver = dns.Addr()
		if source != "" {
			target.Source = netip.MustParseAddr(source)
		}

		return NewProber(target).Probe(context.Background())
	}

	const first, last = 61000, 61001

	ports := strconv.Itoa(first) + "\t" + strconv.Itoa(last)
	require.NoError(t, os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(ports), 0))

	var holders []net.Conn

	for range last - first + 1 {
		conn, err := net.Dial("tcp4", web.Addr())
		require.NoError(t, err)

		holders = append(holders, conn)
	}

	requireLocal(t, probe("127.0.0.1", ""), "connect", "cannot assign requested address")
	requireLocal(t, probe("127.0.0.1", "127.0.0.1"), "connect", "cannot assign requested address")

	// UDP's ports are other ones: they are used up by sockets of any destination.
	for number := first; number <= last; number++ {
		conn, err := net.ListenPacket("udp", ":"+strconv.Itoa(number))
		require.NoError(t, err)

		defer conn.Close()
	}

	requireLocal(t, probe(baddns.Name, ""), "resolve", "")

	for _, conn := range holders {
		// A reset leaves no port behind in TIME_WAIT.
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, conn.Close())
	}

	result := probe("127.0.0.1", "")
	require.Equal(t, "ok", result.ReasonName, result.Sentence)
}
