package instance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAConfiguredInstanceThatDoesNotRunIsThere(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "nginx-1.13.0-source")
	b, err := parseFixture(t, "nginx-1.13.0-source")
	require.NoError(t, err)

	tree, _ := fakeProc(t)
	require.Equal(t, []Instance{
		{
			Name: "broken", Configured: true, Binary: "/no/such", Config: "/etc/nginx/nginx.conf", Prefix: "/usr/local/nginx",
			ConfigGuessed: true,
			BuildError:    "cannot tell the version of /no/such: no such file or directory; correct its path",
		},
		{
			Name: "shop", Configured: true, Binary: nginx, Config: "/srv/shop.conf", Prefix: "/srv", Build: &b,
			Arguments: Arguments{Config: "shop.conf", Prefix: "/srv"},
		},
	}, find(t, newFinder(tree,
		Configured{Name: "shop", Binary: nginx, Config: "shop.conf", Prefix: "/srv"},
		Configured{Name: "broken", Binary: "/no/such"},
	)))
}

func TestAConfiguredInstanceThatRunsKeepsItsConfiguredName(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(nginx, link))

	tree, _ := fakeProc(t,
		fakeProcess{pid: 10, title: "nginx: master process nginx", exe: nginx, environment: 9},
		fakeProcess{pid: 20, title: "nginx: master process nginx -c /srv/other.conf", exe: nginx, environment: 9},
	)
	all := find(t, newFinder(tree, Configured{Name: "web", Binary: link, Config: "/etc/nginx/nginx.conf"}))
	require.Len(t, all, 2)
	require.Equal(t, "/srv/other.conf", all[0].Name)
	require.False(t, all[0].Configured)
	require.Equal(t, "web", all[1].Name)
	require.True(t, all[1].Configured)
	require.Equal(t, 10, all[1].Master.PID)
}

func TestConfigurationMendsACommandLineThatWasCut(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	tree, _ := fakeProc(t, fakeProcess{pid: 10, title: "nginx: master process nginx -c /srv/si", exe: nginx, environment: 0})

	i := find1(t, newFinder(tree))
	require.True(t, i.Master.ArgumentsCut)
	require.Equal(t, []string{"cannot see the whole command line of process 10, for there was no room in its title; " +
		"name this instance in the configuration"}, i.Problems)

	all := find(t, newFinder(tree, Configured{Name: "other", Binary: nginx, Config: "/etc/other.conf"}))
	require.Len(t, all, 2, "another file cannot be meant")

	i = find1(t, newFinder(tree, Configured{Name: "web", Binary: nginx, Config: "/srv/site.conf"}))
	require.False(t, i.Master.ArgumentsCut)
	require.Equal(t, "web", i.Name)
	require.Equal(t, "/srv/site.conf", i.Config)
	require.Equal(t, Arguments{Config: "/srv/site.conf"}, i.Arguments)
	require.Empty(t, i.Problems)
}

// An ordinary user's process with the same program and file had root test with the prefix that it gave.
func TestAnOrdinaryUsersProcessDoesNotSayHowAConfiguredInstanceIsTested(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	tree, _ := fakeProc(t, fakeProcess{
		pid: 10, uid: 65533, title: "nginx: master process nginx -c /srv/site.conf -p /home/alice -g daemon off;", exe: nginx, environment: 9,
	})

	i := find1(t, newFinder(tree, Configured{Name: "web", Binary: nginx, Config: "/srv/site.conf", Prefix: "/srv"}))
	require.Equal(t, 10, i.Master.PID)
	require.Equal(t, "/srv", i.Prefix)
	require.Equal(t, Arguments{Config: "/srv/site.conf", Prefix: "/srv"}, i.Arguments)
}
