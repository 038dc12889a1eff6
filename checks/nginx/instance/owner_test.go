package instance

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Any user could make items in Zabbix with `exec -a "nginx: master process nginx -c /tmp/x" sleep 1d`.
func TestOnlyAnAdministratorsInstancesAreTrusted(t *testing.T) {
	t.Parallel()

	const other = 4242 // no user of the tests

	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	setuid := fakeNginx(t, "nginx-1.24.0-ubuntu")
	require.NoError(t, os.Chmod(setuid, 0o755|os.ModeSetuid))

	for name, test := range map[string]struct {
		process fakeProcess
		named   bool
		want    bool
	}{
		"root's":                             {process: fakeProcess{exe: nginx}, want: true},
		"root's whose program is not seen":   {process: fakeProcess{}, want: true},
		"this process's user's":              {process: fakeProcess{exe: nginx, uid: os.Geteuid()}, want: true},
		"another user's":                     {process: fakeProcess{exe: nginx, uid: other}},
		"another user's that has a name":     {process: fakeProcess{exe: nginx, uid: other}, named: true, want: true},
		"root's by a program of su's kind":   {process: fakeProcess{startedBy: other}},
		"root's by a program of sudo's kind": {process: fakeProcess{exe: setuid}},
		"root's that became another user":    {process: fakeProcess{exe: nginx, uid: other}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			p := test.process
			p.pid, p.environment, p.title = 10, 9, "nginx: master process "+nginx+" -c /tmp/x"

			tree, _ := fakeProc(t, p)

			var configured []Configured
			if test.named {
				configured = []Configured{{Name: "edge", Binary: nginx, Config: "/tmp/x"}}
			}

			i := find1(t, newFinder(tree, configured...))
			require.NotNil(t, i.Master)
			require.Equal(t, test.want, i.Trusted())
			require.False(t, i.InContainer())
		})
	}
}

func TestAnInstanceThatDoesNotRunIsTheAdministrators(t *testing.T) {
	t.Parallel()

	tree, _ := fakeProc(t)
	i := find1(t, newFinder(tree, Configured{Name: "edge", Binary: "/no/such"}))
	require.True(t, i.Trusted())
	require.False(t, i.InContainer())
}

// Each new container of docker was another instance, which could not be tested and was missed when it had gone.
func TestContainersAreToldFromTheHost(t *testing.T) {
	t.Parallel()

	id := strings.Repeat("0123456789abcdef", 4)

	for name, test := range map[string]struct {
		cgroup, pids, own string
		want              bool
	}{
		"a service":                                {cgroup: "0::/system.slice/nginx.service\n", pids: "10"},
		"no cgroup":                                {pids: "10"},
		"docker":                                   {cgroup: "0::/system.slice/docker-" + id + ".scope\n", want: true},
		"docker with the first cgroups":            {cgroup: "1:name=systemd:/docker/" + id + "\n", want: true},
		"a service in lxc":                         {cgroup: "0::/lxc.payload.web1/system.slice/nginx.service\n", want: true},
		"processes of their own":                   {cgroup: "0::/system.slice/nginx.service\n", pids: "10\t1", want: true},
		"the container that this process is in":    {cgroup: "0::/lxc/web1/nginx.service\n", own: "0::/lxc/web1/agent.service\n"},
		"a container beside this process's":        {cgroup: "0::/lxc/web2/nginx.service\n", own: "0::/lxc/web1/agent.service\n", want: true},
		"a container in that of this process":      {cgroup: "0::/lxc/web1/docker/" + id + "\n", own: "0::/lxc/web1/agent.service\n", want: true},
		"the host's, seen from within a container": {cgroup: "0::/system.slice/nginx.service\n", own: "0::/docker/" + id + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
			tree, _ := fakeProc(t, fakeProcess{
				pid: 10, exe: nginx, environment: 9, title: "nginx: master process " + nginx, cgroup: test.cgroup, pids: test.pids,
			})

			if test.own != "" {
				require.NoError(t, os.WriteFile(tree+"/self/cgroup", []byte(test.own), 0o644))
			}

			i := find1(t, newFinder(tree))
			require.Equal(t, test.want, i.InContainer())
		})
	}
}
