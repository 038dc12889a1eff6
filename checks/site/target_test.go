package site_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

func TestNewTargetRefusesWhatItCannotRequestAndKeepsPasswordsToItself(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"", "shop.example", "/path", "ftp://u:secret@h/", "http://", "http:///path", "http://u:secret@h:0/", "http://u:secret@h:65536/",
		"http://u:secret@[::1/", "http://u:secret@h\x7f/", "http://bücher.example/", "http://u:secret@h/%zz", "mailto:u@h", "http:u:secret@h/",
	} {
		_, err := site.NewTarget(text)
		require.ErrorContains(t, err, "cannot", text)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestNewTargetFillsInTheDefaults(t *testing.T) {
	t.Parallel()

	target, err := site.NewTarget("HTTPS://u:secret@Shop.example#part")
	require.NoError(t, err)
	require.Equal(t, "https://u:secret@Shop.example/", target.URL.String())
	require.Equal(t, "200-399", target.Status.String())
	require.True(t, target.VerifyCertificate)
	require.Equal(t, 5, target.MaxRedirects)
	require.Equal(t, int64(1<<20), target.BodyLimit)
	require.Equal(t, []site.Discovered{{Site: "shop", URL: "https://Shop.example/"}}, site.NewMonitor([]site.Site{{Name: "shop", Target: target}}).Discover())
}

func TestCheckConnectTakesAHostAndAPort(t *testing.T) {
	t.Parallel()

	for _, good := range []string{"127.0.0.1:443", "[::1]:80", "localhost:8080"} {
		require.NoError(t, site.CheckConnect(good))
	}

	for _, bad := range []string{"", "localhost", ":80", "::1:80", "h:http", "h:0", "h:65536"} {
		require.ErrorContains(t, site.CheckConnect(bad), "cannot connect", bad)
	}
}

func FuzzTargetURL(f *testing.F) {
	f.Add("https://user:secret@shop.example:8443/a?b=c#d")
	f.Add("http://[::1%25lo]/")
	f.Fuzz(func(t *testing.T, text string) {
		target, err := site.NewTarget(text)
		if err != nil {
			return
		}

		require.Contains(t, []string{"http", "https"}, target.URL.Scheme)
		require.NotEmpty(t, target.URL.Hostname())
		require.NotNil(t, site.NewProber(target))
	})
}
