package nginx

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// get asks once, on a connection of its own.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(read)
}

func TestNginxServesFilesReloadsAndLeavesNothing(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a root")
	require.NoError(t, os.Mkdir(root, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "index.html"), []byte("a real page"), 0o644))
	n := StartT(t, Options{Root: root})
	address, dir := n.Addr(), n.dir
	status, body := get(t, n.URL())
	require.Equal(t, 200, status)
	require.Equal(t, "a real page", body)

	require.NoError(t, n.Reload(Options{Root: root, Server: []string{"location / { return 503; }"}}))
	require.Equal(t, address, n.Addr())
	status, _ = get(t, n.URL())
	require.Equal(t, 503, status)

	err := n.Reload(Options{Server: []string{"no_such_directive;"}})
	require.ErrorContains(t, err, "cannot reload nginx: it keeps its last configuration; mend what it says: ")
	require.ErrorContains(t, err, `unknown directive "no_such_directive"`)
	status, _ = get(t, n.URL())
	require.Equal(t, 503, status)
	require.NoError(t, n.Reload(Options{Root: root}), "the next good one is taken")

	require.NoError(t, n.Stop())
	_, err = net.Dial("tcp4", address)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoDirExists(t, dir)
	require.NoError(t, n.Stop())
}

func TestNginxAnswers502WithoutItsFastCGIServer(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "index.php"), []byte("<?php"), 0o644))
	n := StartT(t, Options{Root: root, FastCGI: filepath.Join(root, "none")})
	status, _ := get(t, n.URL())
	require.Equal(t, 502, status)
	require.Contains(t, n.Log(), "connect() to unix:")
}

func TestAConfigurationThatNginxRefusesIsToldInItsWords(t *testing.T) {
	_, err := Start(Options{Server: []string{"no_such_directive;"}})
	require.ErrorContains(t, err, "cannot start nginx: it ended; mend what it says: ")
	require.ErrorContains(t, err, `unknown directive "no_such_directive"`)
}
