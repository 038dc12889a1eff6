package site

import (
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
)

// wanted is how the process that lacks something is to ask servers of the one that does not.
type wanted struct{ ByAddress, ByName, Encrypted, Resolver, Authority string }

// serveElsewhere starts a good site that is known by address and by name, and runs the test again beside it.
func serveElsewhere(t *testing.T, place apart.Place) {
	t.Helper()

	plain, encrypted := badsite.StartT(t, badsite.OK()), badsite.StartT(t, badsite.OKOverTLS())
	dns := baddns.StartT(t, baddns.Answers(), baddns.Zone{baddns.Name: {netip.MustParseAddr("127.0.0.1")}})
	_, port, err := net.SplitHostPort(plain.Addr())
	require.NoError(t, err)

	authority := filepath.Join(t.TempDir(), "authority.pem")
	require.NoError(t, os.WriteFile(authority, encrypted.Authority().PEM(), 0o600))

	text, err := json.Marshal(wanted{
		ByAddress: plain.URL(), ByName: "http://" + net.JoinHostPort(baddns.Name, port) + "/", Encrypted: encrypted.URL(), Resolver: dns.Addr(),
	})
	require.NoError(t, err)

	// Where the directory is empty, too, there is but one authority.
	place.Env = append(place.Env, "WANTED="+string(text), "SSL_CERT_FILE="+authority, "SSL_CERT_DIR="+t.TempDir())
	apart.Run(t, place)
}

// targets returns the sites of serveElsewhere by how they are asked.
func targets(t *testing.T) map[string]Target {
	t.Helper()

	var w wanted

	require.NoError(t, json.Unmarshal([]byte(os.Getenv("WANTED")), &w))

	all := map[string]Target{}

	for name, text := range map[string]string{"by address": w.ByAddress, "by name": w.ByName, "encrypted": w.Encrypted} {
		target, err := NewTarget(text)
		require.NoError(t, err)

		target.Resolver = w.Resolver
		all[name] = target
	}

	return all
}

func requireLocal(t *testing.T, result *Result, phase, sentence string) {
	t.Helper()

	require.Equal(t, "local_error", result.ReasonName, result.Sentence)
	require.Equal(t, phase, result.Phase)
	require.Contains(t, result.Sentence, sentence)
}
