package site

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// A zero Target ended the worker with a nil URL.
func TestATargetThatCannotBeRequestedIsALocalError(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		target Target
		want   string
	}{
		"the zero target": {Target{}, "cannot request a site without a URL; make its target with NewTarget"},
		"no host":         {Target{URL: &url.URL{Scheme: "http"}}, "it names no host"},
		"no scheme":       {Target{URL: &url.URL{Host: "shop.example"}}, "its scheme is not http or https"},
		"a method that is none": {
			Target{URL: &url.URL{Scheme: "http", Host: "shop.example"}, Method: "GE T"}, "invalid method",
		},
		"a header that is none": {
			Target{URL: &url.URL{Scheme: "http", Host: "shop.example"}, Header: http.Header{"A B": {"c"}}}, "invalid header field name",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			result := NewProber(c.target).Probe(context.Background())
			require.Equal(t, "local_error", result.ReasonName)
			require.Equal(t, "other", result.Phase)
			require.Contains(t, result.Sentence, c.want)
		})
	}
}

func TestAMonitorReportsASiteWithoutAURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMonitor([]Site{{Name: "shop"}})
		m.Start()
		time.Sleep(time.Second)
		m.Stop()

		r := reportOf(t, m)
		require.Equal(t, []uint64{1, 0, 0, 1}, []uint64{r.Requests, r.OK, r.Failed, r.NotTested})
		require.Equal(t, []Discovered{{Site: "shop"}}, m.Discover())
		require.Empty(t, m.Summary()[0].URL)
	})
}

// A panic in a probe ended the worker and with it the counters of all sites.
func TestAPanicInAProbeIsCountedAsNotTested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		probes := 0
		m := scripted(t, time.Second, func(context.Context) *Result {
			probes++
			if probes == 2 {
				time.Sleep(250 * time.Millisecond)

				var none *Target

				return &Result{Bytes: none.BodyLimit}
			}

			return &Result{}
		})
		m.Start()
		time.Sleep(3500 * time.Millisecond)
		m.Stop()

		r := reportOf(t, m)
		require.Equal(t, []uint64{4, 3, 0, 1, 0}, []uint64{r.Requests, r.OK, r.Failed, r.NotTested, r.Overlapping})
		require.Equal(t, uint64(1), r.Reasons["local_error"])
		require.Len(t, r.Evidence, 1)
		require.Regexp(t, `^the probe of http://shop\.example/ met a fault of this program in phase other `+
			`\(panic in site\.TestAPanicInAProbe\S*, line \d+: .*nil pointer dereference\): report it to its authors$`, r.Evidence[0].Sentence)
		require.InDelta(t, 0.25, r.Evidence[0].TotalS, 1e-9)
		require.InDelta(t, 0.25, r.Evidence[0].Phases.OtherS, 1e-9)
	})
}

// The transport dials in a goroutine of its own, and so does a race between addresses.
func TestAPanicWhileDialingIsALocalError(t *testing.T) {
	t.Parallel()

	for name, addresses := range map[string][]netip.Addr{
		"one address":   {netip.MustParseAddr("127.0.0.1")},
		"two addresses": {netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dns := baddns.StartT(t, baddns.Answers(), baddns.Zone{baddns.Name: addresses})
			prober := proberOf(t, "http://"+baddns.Name+"/")
			prober.target.Resolver = dns.Addr()
			prober.dialer.Control = func(string, string, syscall.RawConn) error { panic(io.ErrNoProgress) }

			result := prober.Probe(context.Background())
			require.Equal(t, "local_error", result.ReasonName)
			require.Equal(t, "connect", result.Phase)
			require.Contains(t, result.Sentence, "met a fault of this program in phase connect (panic in ")
			require.Contains(t, result.Sentence, io.ErrNoProgress.Error())
		})
	}
}

func TestAPanicInAHandshakeIsALocalError(t *testing.T) {
	t.Parallel()

	server := badsite.StartT(t, badsite.OKOverTLS())
	block, _ := pem.Decode(server.Authority().PEM())
	root, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)

	prober := proberOf(t, server.URL())
	prober.target.RootCAs = x509.NewCertPool()
	prober.target.RootCAs.AddCertWithConstraint(root, func([]*x509.Certificate) error { panic("injected") })

	result := prober.Probe(context.Background())
	require.Equal(t, "local_error", result.ReasonName, result.Sentence)
	require.Equal(t, "tls", result.Phase)
	require.Contains(t, result.Sentence, "injected")
}
