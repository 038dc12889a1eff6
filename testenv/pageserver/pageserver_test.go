package pageserver_test

import (
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

func TestMain(m *testing.M) {
	pageserver.Main()
	os.Exit(m.Run())
}

func TestSitesOfAnotherProcessAreInTheOrderOfTheirBehaviorsAndEndWithIt(t *testing.T) {
	t.Parallel()
	server, err := pageserver.Start(badsite.Refused(), badsite.OK(), badsite.Status(http.StatusNotFound))
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	require.Len(t, server.URLs, 3)

	_, err = http.Get(server.URLs[0])
	require.ErrorContains(t, err, "connection refused")

	response, err := http.Get(server.URLs[1])
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Contains(t, string(body), badsite.Pattern)

	response, err = http.Get(server.URLs[2])
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNotFound, response.StatusCode)

	server.Stop()
	_, err = http.Get(server.URLs[1])
	require.ErrorContains(t, err, "connection refused")
}

func TestABehaviorOfNoKnownNameIsAnError(t *testing.T) {
	t.Parallel()
	_, err := pageserver.Start(badsite.OK(), badsite.Behaves("made_up", "ok", ""))
	require.ErrorContains(t, err, "cannot read where the page server listens")
}
