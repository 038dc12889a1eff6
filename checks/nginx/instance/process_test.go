package instance

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatIsReadWhateverTheNameIs(t *testing.T) {
	t.Parallel()

	const rest = " S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 100 200 300 400 500 600 1 2 3 4 5 6 7 8 9 10 11 12 13 " +
		"14 15 16 17 18 19 140000 140100 140250 0\n"

	for name, want := range map[string]stat{
		"12 (nginx)" + rest:                        {comm: "nginx", parent: 7, ticks: 12345, room: 250},
		"12 (a) b (c)" + rest:                      {comm: "a) b (c", parent: 7, ticks: 12345, room: 250},
		"12 ()" + rest[:strings.Index(rest, "10")]: {parent: 7, ticks: 12345},
	} {
		got, err := parseStat([]byte(strings.Replace(name, " 140000 140100 140250", " 140000 1 2 140250", 1)))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	for _, text := range []string{"", "12 nginx S 1", "12 (nginx", "12 (nginx) S 1 2", "1 )(" + rest, strings.Replace("1 (a)"+rest, "12345", "x", 1)} {
		_, err := parseStat([]byte(text))
		require.ErrorIs(t, err, errStat, "%q", text)
	}
}

func TestTheStartOfThisProcessIsExact(t *testing.T) {
	t.Parallel()

	p := proc{root: "/proc", bootedAt: bootTime()}
	s, err := p.stat(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, os.Getppid(), s.parent)
	require.Positive(t, s.room)

	started := p.startedAt(s.ticks)
	require.False(t, started.After(time.Now()))

	info, err := os.Stat("/proc/self")
	require.NoError(t, err)
	require.WithinDuration(t, info.ModTime(), started, time.Minute)

	require.True(t, p.startedAt(1<<63).After(bootedAt), "nonsense does not overflow")
}

func TestThisProcessIsReadFromTheRealProc(t *testing.T) {
	t.Parallel()

	p, pid := proc{root: "/proc"}, os.Getpid()
	theirs, err := p.owner(pid)
	require.NoError(t, err)
	require.Equal(t, owner{uid: os.Geteuid()}, theirs)
	require.False(t, p.isSetuid(pid))
	require.Positive(t, p.openFiles(pid))
	require.False(t, p.namespace(pid, "mnt").Differs)
	require.True(t, p.namespace(pid, "net").Known)
	require.Equal(t, Root{Dir: "/", Known: true}, p.rootOf(pid))

	program, err := os.Executable()
	require.NoError(t, err)

	path, deleted, err := p.executable(pid, p.rootOf(pid))
	require.NoError(t, err)
	require.Equal(t, program, path)
	require.False(t, deleted)

	ours, err := p.rootMount("self")
	require.NoError(t, err)
	require.NotEmpty(t, ours)
}

func TestTheCgroupThatTellsMostIsTaken(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"0::/system.slice/nginx.service\n":                                "/system.slice/nginx.service",
		"4:memory:/a\n1:name=systemd:/system.slice/nginx.service\n0::/\n": "/system.slice/nginx.service",
		"4:memory:/docker/1\n1:name=systemd:/\n":                          "/docker/1",
		"1:name=systemd:/a\n0::/b:c\n":                                    "/b:c",
		"0::/\n":                                                          "",
		"":                                                                "",
		"nonsense\n0::/kubepods.slice/cri-containerd-1.scope\n": "/kubepods.slice/cri-containerd-1.scope",
	} {
		require.Equal(t, want, parseCgroup(text), text)
	}
}

func TestTheUnitIsTheServiceOrTheContainer(t *testing.T) {
	t.Parallel()

	id := strings.Repeat("0123456789abcdef", 4)

	for cgroup, want := range map[string]string{
		"":                                      "",
		"/":                                     "",
		"/system.slice/nginx.service":           "nginx.service",
		"/system.slice/docker-" + id + ".scope": "docker-0123456789ab.scope",
		"/docker/" + id:                         "0123456789ab",
		"/kubepods.slice/pod1.slice/crio-" + id + ".scope":                 "crio-0123456789ab.scope",
		"/machine.slice/libpod-" + id + ".scope/container":                 "libpod-0123456789ab.scope",
		"/lxc.payload.web1/system.slice/nginx.service":                     "lxc.payload.web1",
		"/lxc/web2/system.slice/nginx.service":                             "web2",
		"/machine.slice/machine-web3.scope/payload/system.slice/n.service": "machine-web3.scope",
		"/docker/" + id + "/kubepods/cri-containerd-a.scope":               "cri-containerd-a.scope",
		"/a\nb\x1b": "a?b?~" + checksum(t, "a\nb\x1b"),
	} {
		require.Equal(t, want, unitOf(cgroup), cgroup)
	}

	require.LessOrEqual(t, len(unitOf("/"+strings.Repeat("x", 1000))), maxUnit)
}

// checksum is what tells apart two names that look the same.
func checksum(t *testing.T, name string) string {
	t.Helper()

	_, sum, found := strings.Cut(cleanName(name, maxName), "~")
	require.True(t, found)

	return sum
}

func TestNamesAreShortPrintableAndApart(t *testing.T) {
	t.Parallel()

	require.Equal(t, "/etc/nginx/né.conf", cleanName("/etc/nginx/né.conf", maxName))

	long := "/" + strings.Repeat("é", maxName)
	require.LessOrEqual(t, len(cleanName(long+"a", maxName)), maxName)
	require.NotEqual(t, cleanName(long+"a", maxName), cleanName(long+"b", maxName))
	require.NotEqual(t, cleanName("a\x01", maxName), cleanName("a\x02", maxName))
	require.NotEqual(t, cleanName("a\xff", maxName), cleanName("a?", maxName))
}

func TestNumbersOutsideTheEnumsHaveNamesToo(t *testing.T) {
	t.Parallel()

	require.Equal(t, "tengine", ProductTengine.String())
	require.Equal(t, "product_9", Product(9).String())
	require.Equal(t, "cache_loader", KindCacheLoader.String())
}

func FuzzProcFiles(f *testing.F) {
	f.Add("12 (nginx) S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 100\n")
	f.Add("1:name=systemd:/a/docker-1\n0::/b\n")

	f.Fuzz(func(t *testing.T, text string) {
		if s, err := parseStat([]byte(text)); err == nil {
			require.False(t, proc{bootedAt: bootedAt}.startedAt(s.ticks).Before(bootedAt))
		}

		require.LessOrEqual(t, len(unitOf(parseCgroup(text))), maxUnit)
	})
}
