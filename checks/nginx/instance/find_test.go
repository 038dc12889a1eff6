package instance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            65536                524288               files
`

// find returns what a finder finds, which must be without problems of its own.
func find(t *testing.T, f *Finder) []Instance {
	t.Helper()

	found, err := f.Find(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.Zero(t, found.Omitted)

	return found.Instances
}

func find1(t *testing.T, f *Finder) Instance {
	t.Helper()

	all := find(t, f)
	require.Len(t, all, 1)

	return all[0]
}

func TestAMasterIsDescribedWhole(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "freenginx-1.27.0")
	tree, root := fakeProc(t,
		fakeProcess{
			pid: 10, parent: 1, comm: "nginx", ticks: 250, uid: 0, exe: nginx, cwd: "/", netNS: 2, limits: limits,
			title:  "nginx: master process " + nginx + " -g daemon on; master_process on;",
			cgroup: "0::/system.slice/nginx.service\n", environment: 100,
		},
		fakeProcess{pid: 13, parent: 10, comm: "nginx", ticks: 900, title: "nginx: worker process"},
		fakeProcess{pid: 11, parent: 10, comm: "nginx", ticks: 251, title: "nginx: worker process is shutting down"},
		fakeProcess{pid: 12, parent: 10, comm: "nginx", ticks: 300, title: "nginx: cache manager process"},
		fakeProcess{pid: 14, parent: 10, comm: "sh", ticks: 300, title: "sh"},
	)

	b, err := parseFixture(t, "freenginx-1.27.0")
	require.NoError(t, err)

	require.Equal(t, Instance{
		Name: "/usr/local/freenginx/conf/my.conf", Binary: nginx, Build: &b,
		Prefix: "/usr/local/freenginx", Config: "/usr/local/freenginx/conf/my.conf",
		Arguments: Arguments{Directives: "daemon on; master_process on;"},
		Master: &Master{
			PID: 10, StartTicks: 250, StartedAt: bootedAt.Add(2500 * time.Millisecond), Product: ProductNginx,
			UID: 0, User: "root", OpenFiles: 65536,
			MountNS: Namespace{ID: 4026531840, Known: true}, NetNS: Namespace{ID: 2, Known: true, Differs: true},
			Root: Root{Dir: root, Known: true}, Cgroup: "/system.slice/nginx.service", Unit: "nginx.service",
			Workers: []Worker{
				{PID: 11, Kind: KindWorkerShuttingDown, StartTicks: 251, StartedAt: bootedAt.Add(2510 * time.Millisecond)},
				{PID: 12, Kind: KindCacheManager, StartTicks: 300, StartedAt: bootedAt.Add(3 * time.Second)},
				{PID: 13, Kind: KindWorker, StartTicks: 900, StartedAt: bootedAt.Add(9 * time.Second)},
			},
		},
	}, find1(t, newFinder(tree)))
}

func TestPrefixAndConfigurationFileAreThoseThatNginxTakes(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		fixture, arguments, cwd, prefix, config string
	}{
		"nothing given": {"nginx-1.24.0-ubuntu", "", "/", "/usr/share/nginx", "/etc/nginx/nginx.conf"},
		"a prefix where an absolute file is compiled in": {
			"nginx-1.24.0-ubuntu", " -p /srv/", "/", "/srv/", "/etc/nginx/nginx.conf",
		},
		"a prefix where a relative file is compiled in": {"nginx-1.13.0-source", " -p /srv", "/", "/srv", "/srv/conf/nginx.conf"},
		"a relative file":                           {"nginx-1.24.0-ubuntu", " -c site.conf", "/tmp", "/usr/share/nginx", "/usr/share/nginx/site.conf"},
		"a relative file and a prefix":              {"nginx-1.13.0-source", " -p /srv -c a/b.conf", "/", "/srv", "/srv/a/b.conf"},
		"a relative prefix":                         {"nginx-1.13.0-source", " -p web -c b.conf", "/srv", "/srv/web", "/srv/web/b.conf"},
		"the working directory as the prefix":       {"nginx-1.13.0-source", " -p . -c b.conf", "/srv", "/srv", "/srv/b.conf"},
		"a way up, which may lead behind a link":    {"nginx-1.13.0-source", " -c ../b.conf", "/", "/usr/local/nginx", "/usr/local/nginx/../b.conf"},
		"a prefix that is compiled in with a slash": {"tengine-2.2.3", "", "/", "/opt/tengine223/", "/opt/tengine223/conf/nginx.conf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			nginx := fakeNginx(t, test.fixture)
			tree, _ := fakeProc(t, fakeProcess{
				pid: 10, title: "nginx: master process " + nginx + test.arguments, exe: nginx, cwd: test.cwd, environment: 9,
			})
			i := find1(t, newFinder(tree))
			require.Equal(t, test.prefix, i.Prefix)
			require.Equal(t, test.config, i.Config)
			require.Equal(t, test.config, i.Name)
			require.False(t, i.ConfigGuessed)
			require.Empty(t, i.Problems)
		})
	}
}

func TestAProgramThatCannotBeSeenIsTakenFromTheTitle(t *testing.T) {
	t.Parallel()

	tree, _ := fakeProc(t, fakeProcess{
		pid: 10, title: "nginx: master process /no/such/nginx -g daemon off; -p /srv",
	})
	i := find1(t, newFinder(tree))
	require.Equal(t, "/no/such/nginx", i.Binary)
	require.True(t, i.Master.BinaryFromTitle)
	require.True(t, i.ConfigGuessed)
	require.Equal(t, "/etc/nginx/nginx.conf", i.Config)
	require.Equal(t, "/srv", i.Prefix)
	require.Nil(t, i.Build)
	require.Equal(t, "cannot tell the version of /no/such/nginx: no such file or directory; correct its path", i.BuildError)
	require.Equal(t, []string{
		"cannot see the program of process 10 (no such file or directory), so its title is believed; run as root",
	}, i.Problems)
	require.Equal(t, Namespace{}, i.Master.MountNS)
}

func TestADeletedProgramIsReplacedByTheOneAtItsPath(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	nginx := filepath.Join(root, "nginx")
	process := fakeProcess{pid: 10, title: "nginx: master process " + nginx, exe: nginx + " (deleted)", environment: 9, root: "/"}

	tree, _ := fakeProc(t, process)
	i := find1(t, newFinder(tree))
	require.Equal(t, nginx, i.Binary)
	require.True(t, i.Master.Deleted)
	require.False(t, i.Master.Replaced)
	require.Nil(t, i.Build)

	writeProgram(t, nginx, "nginx-1.24.0-ubuntu")
	tree, _ = fakeProc(t, process)
	require.NoError(t, os.Remove(filepath.Join(tree, "99", "root")))
	require.NoError(t, os.Symlink("/", filepath.Join(tree, "99", "root")))

	i = find1(t, newFinder(tree))
	require.Equal(t, nginx, i.Binary)
	require.True(t, i.Master.Deleted)
	require.True(t, i.Master.Replaced)
	require.Equal(t, "1.24.0", i.Build.Version.String())
}

func TestInstancesInOtherRootDirectoriesAreNamedAfterTheirContainers(t *testing.T) {
	t.Parallel()

	id := strings.Repeat("0123456789abcdef", 4)
	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	inside := fakeProcess{
		pid: 20, title: "nginx: master process nginx -g daemon off;", exe: nginx, cwd: "/", root: t.TempDir(), netNS: 3, uid: 0,
		cgroup: "12:pids:/x\n1:name=systemd:/y\n0::/system.slice/docker-" + id + ".scope\n", environment: 9,
	}
	outside := fakeProcess{pid: 10, title: "nginx: master process " + nginx, exe: nginx, environment: 9}

	tree, _ := fakeProc(t, inside, outside)
	all := find(t, newFinder(tree))
	require.Len(t, all, 2)
	require.Equal(t, "/etc/nginx/nginx.conf", all[0].Name)
	require.False(t, all[0].Master.Root.Differs)
	require.Equal(t, "/etc/nginx/nginx.conf@docker-0123456789ab.scope", all[1].Name)
	require.Equal(t, Root{Dir: inside.root, Known: true, Differs: true}, all[1].Master.Root)
	require.Empty(t, all[1].Master.User, "the names of users are the container's own")
	require.Equal(t, "1.24.0", all[1].Build.Version.String(), "read through the process")
}

func TestAChrootsPathsAreThoseWithin(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sbin"), 0o755))
	nginx := filepath.Join(root, "sbin", "nginx")
	writeProgram(t, nginx, "nginx-1.13.0-source")

	tree, _ := fakeProc(t, fakeProcess{
		pid: 10, title: "nginx: master process /sbin/nginx -p web", exe: nginx, cwd: filepath.Join(root, "srv"), root: root,
		cgroup: "0::/system.slice/jail.service\n", environment: 9,
	})
	i := find1(t, newFinder(tree))
	require.Equal(t, "/sbin/nginx", i.Binary)
	require.Equal(t, "/srv/web", i.Prefix)
	require.Equal(t, "/srv/web/conf/nginx.conf@jail.service", i.Name)
}

func TestWhoMayNotTraceAMasterTellsItsRootByTheMount(t *testing.T) {
	t.Parallel()

	const (
		host  = "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 0:5 / /proc rw - proc proc rw\n"
		other = "500 400 0:77 / / rw - overlay overlay rw\n"
		jail  = "31 30 0:5 / /proc rw - proc proc rw\n"
	)

	for name, test := range map[string]struct {
		mount   string
		differs bool
	}{
		"the same file system":         {host, false},
		"another one":                  {other, true},
		"a chroot, which shows none":   {jail, true},
		"one that was mounted over it": {host + other, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tree, _ := fakeProc(t, fakeProcess{
				pid: 10, title: "nginx: master process nginx -c /a", mount: test.mount, cgroup: "0::/u.service\n",
			})
			require.NoError(t, os.WriteFile(filepath.Join(tree, "99", "mountinfo"), []byte(host), 0o644))

			i := find1(t, newFinder(tree))
			require.Equal(t, Root{Known: true, Differs: test.differs}, i.Master.Root)
			require.Equal(t, test.differs, i.Name == "/a@u.service", i.Name)
		})
	}
}

func TestDuringAnUpgradeTheNewMasterCounts(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	master := "nginx: master process " + nginx
	tree, _ := fakeProc(t,
		fakeProcess{pid: 10, parent: 1, ticks: 100, title: master, exe: nginx, environment: 9},
		fakeProcess{pid: 11, parent: 10, ticks: 101, title: "nginx: worker process"},
		fakeProcess{pid: 20, parent: 10, ticks: 200, title: master, exe: nginx, environment: 9},
		fakeProcess{pid: 21, parent: 20, ticks: 201, title: "nginx: worker process"},
		// A worker that has not got its own title yet.
		fakeProcess{pid: 22, parent: 20, ticks: 202, title: master, exe: nginx, environment: 9},
	)
	i := find1(t, newFinder(tree))
	require.Equal(t, 20, i.Master.PID)
	require.Equal(t, []int{10}, i.OtherMasters)
	require.Len(t, i.Master.Workers, 2)
}

func TestNobodyTakesThePlaceOfRootsInstance(t *testing.T) {
	t.Parallel()

	nginx := fakeNginx(t, "nginx-1.24.0-ubuntu")
	processes := []fakeProcess{{pid: 10, ticks: 100, title: "nginx: master process nginx", exe: nginx, environment: 9}}

	for i := range maxMasters {
		processes = append(processes, fakeProcess{
			pid: 1000 + i, ticks: 500, uid: 1000, title: "nginx: master process nginx -c /tmp/" + strconv.Itoa(i), exe: nginx, environment: 9,
		})
	}

	processes = append(processes, fakeProcess{
		pid: 2000, ticks: 900, uid: 1000, title: "nginx: master process nginx -c /etc/nginx/nginx.conf", exe: nginx, environment: 9,
	})

	tree, _ := fakeProc(t, processes...)
	found, err := newFinder(tree).Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, found.Omitted)
	require.Equal(t, "/etc/nginx/nginx.conf", found.Instances[0].Name)
	require.Equal(t, 10, found.Instances[0].Master.PID)
	require.Equal(t, []int{2000}, found.Instances[0].OtherMasters)
}

func TestAnNginxThatOnlyTestsIsNoInstance(t *testing.T) {
	t.Parallel()

	tree, _ := fakeProc(t, fakeProcess{pid: 10, title: "angie: master process v1.7.0 #0 [angie -t]", exe: "/x", environment: 9})
	require.Empty(t, find(t, newFinder(tree)))
}

func TestOthersHiddenProcessesAreSaid(t *testing.T) {
	t.Parallel()

	tree, _ := fakeProc(t)
	require.NoError(t, os.RemoveAll(filepath.Join(tree, "1")))

	found, err := newFinder(tree).Find(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"cannot see other users' processes in " + tree + ", so that their nginx is not found; " +
		"mount it without hidepid, or add this user to the group of its gid option"}, found.Problems)

	_, err = newFinder(filepath.Join(tree, "none")).Find(t.Context())
	require.ErrorContains(t, err, "cannot look for nginx: ")
	require.ErrorContains(t, err, "; mount proc at ")
}

func TestWorkersBeyondTheLimitAreCounted(t *testing.T) {
	t.Parallel()

	var m Master

	m.takeWorkers(proc{}, make([]process, maxWorkers+7))
	require.Len(t, m.Workers, maxWorkers)
	require.Equal(t, 7, m.WorkersOmitted)
}
