package listener

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// at is a socket; "v6only " and "lo " before the address set what they say.
func at(network Network, address string) listenTask {
	l := listenTask{Network: network, ReusePort: true}
	for word := range strings.FieldsSeq(address) {
		switch word {
		case "v6only":
			l.V6Only = true
		case "lo":
			l.Device = word
		default:
			l.Address = word
		}
	}

	return l
}

var overlaps = map[string]struct {
	stranger, own string
	// clients connect to these addresses of both.
	clients []string
	want    Relation
}{
	"the same address":                     {"127.0.0.1", "127.0.0.1", []string{"127.0.0.1"}, RelationSameAddress},
	"any address of IPv4 twice":            {"0.0.0.0", "0.0.0.0", []string{"127.0.0.1"}, RelationSameAddress},
	"any address twice":                    {"::", "::", []string{"127.0.0.1", "::1"}, RelationSameAddress},
	"any address of IPv6 twice":            {"v6only ::", "v6only ::", []string{"::1"}, RelationSameAddress},
	"the same device":                      {"lo 127.0.0.1", "lo 127.0.0.1", []string{"127.0.0.1"}, RelationSameAddress},
	"one address of any":                   {"127.0.0.1", "0.0.0.0", []string{"127.0.0.1"}, RelationMoreSpecific},
	"one address of both families' any":    {"127.0.0.1", "::", []string{"127.0.0.1"}, RelationMoreSpecific},
	"one address of IPv6":                  {"::1", "::", []string{"::1"}, RelationMoreSpecific},
	"IPv4 of both families":                {"0.0.0.0", "::", []string{"127.0.0.1"}, RelationMoreSpecific},
	"a mapped address of IPv4's any":       {"::ffff:127.0.0.1", "0.0.0.0", []string{"127.0.0.1"}, RelationMoreSpecific},
	"any for one address":                  {"0.0.0.0", "127.0.0.1", []string{"127.0.0.1"}, RelationLessSpecific},
	"both families for IPv4":               {"::", "0.0.0.0", []string{"127.0.0.1"}, RelationLessSpecific},
	"any of a device for one address":      {"lo 0.0.0.0", "127.0.0.1", []string{"127.0.0.1"}, RelationLessSpecific},
	"a mapped address for the same":        {"::ffff:127.0.0.1", "127.0.0.1", []string{"127.0.0.1"}, RelationLessSpecific},
	"both families for a mapped address":   {"::", "::ffff:127.0.0.1", []string{"127.0.0.1"}, RelationLessSpecific},
	"another address":                      {"127.0.0.1", "127.0.0.2", nil, 0},
	"another address of IPv6":              {"::1", "127.0.0.1", nil, 0},
	"any of IPv6 and any of IPv4":          {"v6only ::", "0.0.0.0", nil, 0},
	"any of IPv6 and one address of IPv4":  {"v6only ::", "127.0.0.1", nil, 0},
	"any of IPv4 and one address of IPv6":  {"0.0.0.0", "::1", nil, 0},
	"any of IPv6 for any of both families": {"v6only ::", "::", nil, RelationSameAddress},
	"a device of all":                      {"lo 0.0.0.0", "0.0.0.0", nil, RelationSameAddress},
	"all devices for one":                  {"0.0.0.0", "lo 0.0.0.0", nil, RelationSameAddress},
}

// TestTheKernelGivesTheClientsAsTheRelationSays opens both sockets and lets clients come: what is said of the kernel is
// shown by the kernel.
func TestTheKernelGivesTheClientsAsTheRelationSays(t *testing.T) {
	for name, c := range overlaps {
		for _, network := range []Network{TCP, UDP} {
			t.Run(string(network)+" "+name, func(t *testing.T) {
				own, stranger := at(network, c.own), at(network, c.stranger)
				own.Address = withPort(own.Address, 0)
				ownFD, address := open(t, own)
				stranger.Address = withPort(stranger.Address, address.Port())
				strangerFD, _ := open(t, stranger)

				both := snapshot(t, Query{Port: address.Port()})
				require.Len(t, both, 2)

				if both[0].Inode == inodeOf(t, strangerFD) {
					both[0], both[1] = both[1], both[0]
				}

				got, overlap := Relate(&both[1], &both[0])
				require.Equal(t, c.want, got, got)
				require.Equal(t, c.want != 0, overlap)

				for _, client := range c.clients {
					to := netip.AddrPortFrom(netip.MustParseAddr(client), address.Port())
					require.Equal(t, c.want, outcome(t, network, to, ownFD, strangerFD), client)
				}
			})
		}
	}
}

// TestTheOrderDecidesWhereOnlyOneIsBoundToADevice is why a device makes no address more specific.
func TestTheOrderDecidesWhereOnlyOneIsBoundToADevice(t *testing.T) {
	for _, network := range []Network{TCP, UDP} {
		for _, order := range [][2]string{{"lo", ""}, {"", "lo"}} {
			first, address := open(t, listenTask{Network: network, Address: "0.0.0.0:0", ReusePort: true, Device: order[0]})
			second, _ := open(t, listenTask{Network: network, Address: address.String(), ReusePort: true, Device: order[1]})

			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), address.Port())
			require.Equal(t, RelationMoreSpecific, outcome(t, network, to, first, second), "the newer one gets all")
		}
	}
}

func TestRelationsNeedTheSameNetworkPortAndDevice(t *testing.T) {
	t.Parallel()

	own := Socket{Network: TCP, Address: netip.MustParseAddrPort("0.0.0.0:80"), InterfaceIndex: 2}

	for name, stranger := range map[string]Socket{
		"another port":    {Network: TCP, Address: netip.MustParseAddrPort("0.0.0.0:81"), InterfaceIndex: 2},
		"another network": {Network: UDP, Address: netip.MustParseAddrPort("0.0.0.0:80"), InterfaceIndex: 2},
		"another device":  {Network: TCP, Address: netip.MustParseAddrPort("0.0.0.0:80"), InterfaceIndex: 3},
	} {
		_, overlap := Relate(&stranger, &own)
		require.False(t, overlap, name)
	}
}

// TestAnyAddressOfIPv6IsNotSaidToServeIPv4WhereThatIsUnknown keeps nginx's usual pair of listeners from being strangers
// to each other.
func TestAnyAddressOfIPv6IsNotSaidToServeIPv4WhereThatIsUnknown(t *testing.T) {
	t.Parallel()

	_, overlap := Relate(&Socket{Network: TCP, Address: netip.MustParseAddrPort("[::]:80")},
		&Socket{Network: TCP, Address: netip.MustParseAddrPort("0.0.0.0:80")})
	require.False(t, overlap)
}

func TestEnumsHaveNames(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{1: "same_address", 2: "more_specific", 3: "less_specific"}, Relations())
	require.Equal(t, "relation_0", Relation(0).String())
	require.Equal(t, map[int]string{0: "unknown", 1: "inferred", 2: "asked"}, ReusePortSources())
	require.Equal(t, "reuseport_source_3", ReusePortSource(3).String())
}
