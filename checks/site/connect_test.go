package site

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

func portOfServer(t *testing.T, server *badsite.Server) string {
	t.Helper()

	_, port, err := net.SplitHostPort(server.Addr())
	require.NoError(t, err)

	return port
}

// pageOn serves a page at an address and port.
func pageOn(t *testing.T, address string) {
	t.Helper()

	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)

	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
}

// namedProber probes a name with the addresses, in their order, and takes a 404 for a success.
func namedProber(t *testing.T, port string, addresses ...string) *Prober {
	t.Helper()

	zone := baddns.Zone{}
	for _, address := range addresses {
		zone[baddns.Name] = append(zone[baddns.Name], netip.MustParseAddr(address))
	}

	target, err := NewTarget("http://" + net.JoinHostPort(baddns.Name, port) + "/")
	require.NoError(t, err)

	target.Resolver = baddns.StartT(t, baddns.Answers(), zone).Addr()
	target.Status, err = ParseStatusSet("200-404")
	require.NoError(t, err)

	return NewProber(target)
}

// errorsOf returns what was said of each address that was tried.
func errorsOf(r *Result) map[string]string {
	said := map[string]string{}
	for _, one := range r.ConnectAttempts {
		said[one.Address] = one.Error
	}

	return said
}

// A dead first address took 2 s of each probe, and nothing told why.
func TestADeadAddressBesideALivingOneIsASuccessThatTellsOfIt(t *testing.T) {
	t.Parallel()

	port := portOfServer(t, badsite.StartT(t, badsite.Crowded()))
	dead, living := "127.0.0.1:"+port, "127.0.0.2:"+port
	pageOn(t, living)

	result := namedProber(t, port, "127.0.0.1", "127.0.0.2").Probe(context.Background())

	require.Equal(t, ReasonOK, result.Reason, result.Sentence)
	require.Equal(t, living, result.Remote)
	require.Equal(t, map[string]string{dead: "no answer until " + living + " answered", living: ""}, errorsOf(result))
	require.GreaterOrEqual(t, result.Phases.ConnectS, nextAddressAfter.Seconds())
	require.GreaterOrEqual(t, result.ConnectAttempts[1].StartS, nextAddressAfter.Seconds())
	require.GreaterOrEqual(t, result.ConnectAttempts[0].TookS, nextAddressAfter.Seconds())
}

func TestAnAddressThatRefusesDelaysNoOther(t *testing.T) {
	t.Parallel()

	port := portOfServer(t, badsite.StartT(t, badsite.Refused()))
	refusing, living := "127.0.0.1:"+port, "127.0.0.2:"+port
	pageOn(t, living)

	result := namedProber(t, port, "127.0.0.1", "127.0.0.2").Probe(context.Background())

	require.Equal(t, ReasonOK, result.Reason, result.Sentence)
	require.Equal(t, living, result.Remote)

	said := errorsOf(result)
	require.Contains(t, said[refusing], "connection refused")
	require.Empty(t, said[living])
}

func TestAFirstAddressThatAnswersIsAllThatIsTried(t *testing.T) {
	t.Parallel()

	port := portOfServer(t, badsite.StartT(t, badsite.OK()))
	result := namedProber(t, port, "127.0.0.1", "127.0.0.2").Probe(context.Background())

	require.Equal(t, ReasonOK, result.Reason, result.Sentence)
	// Where the machine is busy for 300 ms the other address is tried in vain.
	require.NotEqual(t, 1, len(result.ConnectAttempts))
	require.Equal(t, "127.0.0.1:"+port, result.Remote)
}

func TestAProbeThatNoAddressAnswersFailsAsTheSlowest(t *testing.T) {
	t.Parallel()

	port := portOfServer(t, badsite.StartT(t, badsite.Crowded()))
	prober := namedProber(t, port, "127.0.0.1", "127.0.0.2")
	prober.target.Timeout = time.Second
	result := prober.Probe(context.Background())

	require.Equal(t, ReasonConnectTimeout, result.Reason)
	require.Equal(t, "127.0.0.1:"+port, result.Remote)
	require.Contains(t, result.Sentence, "127.0.0.1:"+port)

	said := errorsOf(result)
	require.Contains(t, said["127.0.0.1:"+port], "timeout")
	require.Contains(t, said["127.0.0.2:"+port], "connection refused")
}

// A site that was down in IPv4 and had an address of IPv6 counted as not tested on a host without IPv6.
func TestAnAddressThatThisHostCannotTryHidesNoFailure(t *testing.T) {
	t.Parallel()

	port := portOfServer(t, badsite.StartT(t, badsite.Refused()))
	prober := namedProber(t, port, "127.0.0.1", "2001:db8::1")
	prober.target.Timeout = time.Second
	prober.networkUp = func(to netip.Addr) bool { return to.Is4() }

	result := prober.Probe(context.Background())
	require.Equal(t, ReasonConnectRefused, result.Reason, result.Sentence)
	require.Equal(t, "127.0.0.1:"+port, result.Remote)
	require.Len(t, result.ConnectAttempts, 2)
}

func TestManyAddressesAreTriedAndReportedToALimit(t *testing.T) {
	t.Parallel()

	var addresses []string
	for i := range 20 {
		addresses = append(addresses, netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + i)}).String())
	}

	port := portOfServer(t, badsite.StartT(t, badsite.Refused()))
	result := namedProber(t, port, addresses...).Probe(context.Background())

	require.Equal(t, ReasonConnectRefused, result.Reason, result.Sentence)
	require.Len(t, result.ConnectAttempts, maxAttempts)
	require.Equal(t, "127.0.0.16:"+port, result.Remote)
}

func TestAddressesTakeTurnsBetweenVersionsOfIP(t *testing.T) {
	t.Parallel()

	parse := func(texts ...string) []netip.AddrPort {
		var all []netip.AddrPort
		for _, text := range texts {
			all = append(all, netip.AddrPortFrom(netip.MustParseAddr(text), 80))
		}

		return all
	}

	require.Equal(t, parse("::1", "10.0.0.1", "::2", "10.0.0.2", "::3"), alternate(parse("::1", "::2", "::3", "10.0.0.1", "10.0.0.2")))
	require.Equal(t, parse("10.0.0.1", "::1", "10.0.0.2"), alternate(parse("10.0.0.1", "10.0.0.2", "::1")))
	require.Equal(t, parse("10.0.0.1", "10.0.0.2"), alternate(parse("10.0.0.1", "10.0.0.2")))
	require.Len(t, alternate(make([]netip.AddrPort, 100)), maxAddresses)
}
