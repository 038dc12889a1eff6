package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

func nginxTree(t *testing.T, name string, pairs ...string) []byte {
	t.Helper()

	return namedTree(t, "Nginx", name, pairs...)
}

func TestAnInstanceThatDoesNotRunCanBeNamed(t *testing.T) {
	t.Parallel()

	options, err := Parse(nginxTree(t, "edge", "Config", "/srv/edge/nginx.conf", "Binary", "/usr/sbin/nginx", "Prefix", "/srv/edge/"))
	require.NoError(t, err)
	require.Equal(t, []instance.Configured{
		{Name: "edge", Binary: "/usr/sbin/nginx", Config: "/srv/edge/nginx.conf", Prefix: "/srv/edge"},
	}, options.Nginx)
}

func TestTheTimesOfNginxTests(t *testing.T) {
	t.Parallel()

	options, err := Parse(tree(t, leaf("NginxRevalidate", 3, []byte("10m")), leaf("NginxTimeout", 4, []byte("5"))))
	require.NoError(t, err)
	require.Equal(t, 10*time.Minute, options.NginxRevalidate)
	require.Equal(t, 5*time.Second, options.NginxTimeout)
}

func TestWrongNginxOptionsAreNamed(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		private []byte
		want    string
	}{
		"no program": {
			nginxTree(t, "edge", "Config", "/etc/nginx/nginx.conf"),
			"cannot use options Plugins.Hosting.Nginx.edge.* (line 10): the instance needs Plugins.Hosting.Nginx.edge.Binary",
		},
		"a relative path": {
			nginxTree(t, "edge", "Binary", "nginx"),
			"cannot use option Plugins.Hosting.Nginx.edge.Binary=nginx (line 10): allowed is an absolute path",
		},
		"an unknown option": {
			nginxTree(t, "edge", "Binary", "/usr/sbin/nginx", "Command", "rm"),
			"Plugins.Hosting.Nginx.edge.Command (line 11): there is no such option; known are Binary, Config, Prefix",
		},
		"a duplicate": {
			nginxTree(t, "edge", "Binary", "/usr/sbin/nginx", "Binary", "/usr/sbin/angie"),
			"(line 11): it stands in line 10 already; is there another instance of this name?",
		},
		"tests too rarely": {
			tree(t, leaf("NginxRevalidate", 3, []byte("2d"))),
			"Plugins.Hosting.NginxRevalidate=2d (line 3): allowed is a time from 1m to 24h",
		},
		"a test without an end": {tree(t, leaf("NginxTimeout", 3, []byte("0"))), "allowed is a time from 1s to 10m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := Parse(test.private)
			require.ErrorContains(t, err, test.want)
		})
	}
}
