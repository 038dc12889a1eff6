package site

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// probeOf makes one probe; where resolver is empty the system's is asked.
func probeOf(t *testing.T, url, resolver string, timeout time.Duration) *Result {
	t.Helper()

	prober := proberOf(t, url)
	prober.target.Resolver, prober.target.Timeout = resolver, timeout

	return prober.Probe(context.Background())
}

// The host's own network is down: no site can be tested, but those on the host itself.
func TestSitesAreNotTestedWhileTheHostsNetworkIsDown(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	// Loopback is down, too.
	requireLocal(t, probeOf(t, "http://203.0.113.1/", "", time.Second), "connect", "network is unreachable")
	require.NoError(t, apart.RaiseInterfaces())

	for name, c := range map[string]struct{ url, resolver, phase string }{
		"an address of IPv4":                 {"http://203.0.113.1/", "", "connect"},
		"an address of IPv6":                 {"http://[2001:db8::1]/", "", "connect"},
		"a name and a DNS server elsewhere":  {"http://shop.example/", "203.0.113.53:53", "resolve"},
		"a name and the system's DNS server": {"http://shop.example/", "", "resolve"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			// The system's DNS server on loopback, if it has one, is not in this network.
			requireLocal(t, probeOf(t, c.url, c.resolver, 10*time.Second), c.phase, "check its open files, free ports, source address and network")
		})
	}

	web := badsite.StartT(t, badsite.OK())
	require.Equal(t, ReasonOK, probeOf(t, web.URL(), "", time.Minute).Reason)
	require.NoError(t, web.Set(badsite.Refused()))
	require.Equal(t, ReasonConnectRefused, probeOf(t, web.URL(), "", time.Minute).Reason)

	// A DNS server that the target names on loopback is what is asked, whatever it asks itself.
	failing := baddns.StartT(t, baddns.ServerFailure(), nil)
	require.Equal(t, ReasonDNSFailed, probeOf(t, "http://"+baddns.Name+"/", failing.Addr(), time.Minute).Reason)
}

// An interface is up and its default route is gone: that is the host's own network, too.
func TestSitesAreNotTestedWithoutARoute(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	require.NoError(t, apart.AddInterface("out", netip.MustParsePrefix("198.51.100.7/24"), netip.MustParsePrefix("2001:db8:7::7/64")))
	requireLocal(t, probeOf(t, "http://203.0.113.1/", "", time.Second), "connect", "network is unreachable")
	requireLocal(t, probeOf(t, "http://[2001:db8::1]/", "", time.Second), "connect", "network is unreachable")

	// A neighbor that is switched off is the site's own trouble: the kernel asks for it in vain for 3 s.
	require.Equal(t, ReasonConnectUnreachable, probeOf(t, "http://198.51.100.8/", "", time.Minute).Reason)
	require.Equal(t, ReasonConnectTimeout, probeOf(t, "http://198.51.100.9/", "", 100*time.Millisecond).Reason)
	require.Equal(t, ReasonDNSTimeout, probeOf(t, "http://shop.example/", "198.51.100.53:53", 100*time.Millisecond).Reason)
}

// Many hosts have IPv4 alone. What they cannot test is not down, and what is down in IPv4 is.
func TestAHostWithoutIPv6TestsWhatItCan(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	// The network for documentation stands for all others: there is a route to it and to no other one.
	require.NoError(t, apart.AddInterface("out", netip.MustParsePrefix("192.0.2.7/24")))

	web := badsite.StartT(t, badsite.OK())
	_, port, err := net.SplitHostPort(web.Addr())
	require.NoError(t, err)

	probe := func(addresses ...string) *Result {
		prober := namedProber(t, port, addresses...)
		prober.target.Timeout = time.Minute

		return prober.Probe(context.Background())
	}

	requireLocal(t, probeOf(t, "http://[2001:db8::1]/", "", time.Second), "connect", "network is unreachable")
	requireLocal(t, probe("2001:db8::1"), "connect", "network is unreachable")
	require.Equal(t, ReasonConnectUnreachable, probeOf(t, "http://203.0.113.1/", "", time.Second).Reason, "IPv4 has a network")
	require.Equal(t, ReasonOK, probe("2001:db8::1", "127.0.0.1").Reason)

	require.NoError(t, web.Set(badsite.Refused()))

	result := probe("2001:db8::1", "127.0.0.1")
	require.Equal(t, ReasonConnectRefused, result.Reason, result.Sentence)
	require.Equal(t, web.Addr(), result.Remote)
}

// The last address hangs until the time is over, on a network of the host's that is down.
func TestAnAddressThatHangsInVainHidesNoFailure(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	require.NoError(t, apart.AddInterface("out", netip.MustParsePrefix("198.51.100.7/24")))

	web := badsite.StartT(t, badsite.Refused())
	_, port, err := net.SplitHostPort(web.Addr())
	require.NoError(t, err)

	prober := namedProber(t, port, "127.0.0.1", "198.51.100.9")
	prober.networkUp = func(netip.Addr) bool { return false }

	for range 20 {
		prober.target.Timeout = 50 * time.Millisecond
		result := prober.Probe(context.Background())
		require.Equal(t, ReasonConnectRefused, result.Reason, result.Sentence)
		require.Equal(t, web.Addr(), result.Remote)
	}
}

func TestAResolverOnLoopbackIsAsGoodAsTheNetwork(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		asked, ofTarget string
		up              []netip.Addr
		inReach         bool
	}{
		"the system's, with a network":         {"127.0.0.53:53", "", []netip.Addr{elsewhere4}, true},
		"the system's, with IPv6 alone":        {"127.0.0.53:53", "", []netip.Addr{elsewhere6}, true},
		"the system's, without one":            {"[::1]:53", "", nil, false},
		"the target's own, without one":        {"127.0.0.1:53", "127.0.0.1:53", nil, true},
		"one elsewhere, without a network":     {"203.0.113.53:53", "", nil, false},
		"one elsewhere, with a network":        {"203.0.113.53:53", "", []netip.Addr{netip.MustParseAddr("203.0.113.53")}, true},
		"none was asked before the time ended": {"", "", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			prober := proberOf(t, "http://shop.example/")
			prober.target.Resolver = c.ofTarget
			prober.networkUp = func(to netip.Addr) bool { return slices.Contains(c.up, to) }

			h := newHop(context.Background(), prober, prober.target.URL)
			h.asked = c.asked
			require.Equal(t, c.inReach, h.resolverInReach())
		})
	}
}

// The address of IPv6 comes first and its host is switched off: browsers hide that, and the result tells it.
func TestADeadAddressOfIPv6FailsNoSiteThatAnswersInIPv4(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	require.NoError(t, apart.AddInterface("out", netip.MustParsePrefix("192.0.2.7/24"), netip.MustParsePrefix("2001:db8::7/64")))

	web := badsite.StartT(t, badsite.OK())
	_, port, err := net.SplitHostPort(web.Addr())
	require.NoError(t, err)

	dead := "[2001:db8::8]:" + port
	result := namedProber(t, port, "127.0.0.1", "2001:db8::8").Probe(context.Background())
	require.Equal(t, ReasonOK, result.Reason, result.Sentence)
	require.Equal(t, web.Addr(), result.Remote)

	require.Equal(t, map[string]string{dead: "no answer until " + web.Addr() + " answered", web.Addr(): ""}, errorsOf(result))
}
