package baddns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcome is the reason that a lookup with Go's resolver leads to.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return err.Error()
	case dns.IsNotFound:
		return "dns_not_found"
	case dns.IsTimeout:
		return "dns_timeout"
	}
	return "dns_failed"
}

func TestEachBehaviorLeadsTheResolverToItsReason(t *testing.T) {
	names := map[string]bool{}
	for _, b := range Behaviors() {
		require.False(t, names[b.Name], "two behaviors named %s", b.Name)
		names[b.Name] = true
		t.Run(b.Name, func(t *testing.T) {
			s := StartT(t, b, nil)
			ctx, cancel := context.WithTimeout(t.Context(), b.Timeout)
			defer cancel()
			addresses, err := s.Resolver().LookupNetIP(ctx, "ip", b.Ask)
			require.Equal(t, b.Reason, outcome(err), "%s: %v", b.Does, err)
			if b.Reason == "ok" {
				slices.SortFunc(addresses, netip.Addr.Compare)
				require.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}, addresses)
			}
			require.Equal(t, b.closed, s.Asked() == 0)
		})
	}
}

func TestASlowAnswerTakesItsTime(t *testing.T) {
	s := StartT(t, Slow(80*time.Millisecond), nil)
	start := time.Now()
	_, err := s.Resolver().LookupNetIP(t.Context(), "ip4", Name)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(start), 80*time.Millisecond)
}

func TestAZoneOfOnesOwnAndBehaviorsThatChange(t *testing.T) {
	s := StartT(t, Answers(), Zone{"shop.test": {netip.MustParseAddr("127.0.0.7")}})
	lookup := func(name string) string {
		addresses, err := s.Resolver().LookupNetIP(t.Context(), "ip4", name)
		if err != nil {
			return outcome(err)
		}
		return addresses[0].String()
	}
	require.Equal(t, "127.0.0.7", lookup("Shop.Test"))
	require.Equal(t, "dns_not_found", lookup("other.test"))
	require.NoError(t, s.Set(ServerFailure()))
	require.Equal(t, "dns_failed", lookup("shop.test"))
	require.EqualError(t, s.Set(Closed()), "cannot close the port of a name server that runs; start one with that behavior")
}

var siteQuery = []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x04SITE\x04test\x00\x00\x1c\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00")

func TestAQueryIsRead(t *testing.T) {
	q, err := parseQuery(siteQuery)
	require.NoError(t, err)
	require.Equal(t, question{id: 0x1234, name: "site.test", kind: typeAAAA, class: classIN, raw: []byte("\x04SITE\x04test\x00\x00\x1c\x00\x01")}, q)
}

// A fuzzer found it: bytes that are no UTF-8 grew threefold when the name was put in lower case.
func TestANameOfBytesKeepsItsLength(t *testing.T) {
	q, err := parseQuery([]byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04A\xff\xfeZ\x00\x00\x01\x00\x01"))
	require.NoError(t, err)
	require.Equal(t, "a\xff\xfez", q.name)
}

func TestTheLongestNameIsReadAndNoLonger(t *testing.T) {
	const header = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	label := func(size int) string { return string(rune(size)) + strings.Repeat("a", size) }
	labels := label(63) + label(63) + label(63)
	q, err := parseQuery([]byte(header + labels + label(61) + "\x00\x00\x01\x00\x01"))
	require.NoError(t, err)
	require.Len(t, q.name, maxName-2)
	_, err = parseQuery([]byte(header + labels + label(62) + "\x00\x00\x01\x00\x01"))
	require.ErrorIs(t, err, errQuery)
}

func TestWhatIsNoQueryGetsNoAnswer(t *testing.T) {
	for name, message := range map[string]string{
		"nothing":                   "",
		"half a header":             "\x12\x34\x01\x00\x00",
		"a response":                "\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01",
		"an update":                 "\x12\x34\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01",
		"two questions":             "\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01",
		"a name without end":        "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04site",
		"a label beyond the end":    "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x3fsite",
		"a compressed name":         "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01",
		"a name and half of a type": "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04site\x00\x00\x01\x00",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseQuery([]byte(message))
			require.ErrorIs(t, err, errQuery)
		})
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add(siteQuery)
	f.Add([]byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, message []byte) {
		q, err := parseQuery(message)
		if err != nil {
			require.ErrorIs(t, err, errQuery)
			return
		}
		require.LessOrEqual(t, len(q.name), maxName)
		again, err := parseQuery(append(append([]byte(nil), message[:headerSize]...), q.raw...))
		require.NoError(t, err)
		require.Equal(t, q, again)
		require.LessOrEqual(t, len(reply(q, noError, false, make([]netip.Addr, 99))), headerSize+len(q.raw)+maxAddresses*28)
	})
}
