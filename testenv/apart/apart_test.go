package apart_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

func TestAProcessOfItsOwnHasItsOwnEnvironment(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"a (strange) name", "another"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if !apart.Here() {
				apart.Run(t, apart.Place{Env: []string{"APART_TEST=" + name}})
				require.Empty(t, os.Getenv("APART_TEST"))

				return
			}

			require.Equal(t, name, os.Getenv("APART_TEST"))
		})
	}
}

func TestANetworkOfItsOwnHasTheInterfacesThatATestMakes(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{Network: true})

		return
	}

	_, err := net.Dial("udp", "192.0.2.1:9")
	require.ErrorIs(t, err, unix.ENETUNREACH)
	require.NoError(t, apart.RaiseInterfaces())

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())

	require.NoError(t, apart.AddInterface("out", netip.MustParsePrefix("192.0.2.77/24"), netip.MustParsePrefix("2001:db8::77/64")))

	for address, from := range map[string]string{"192.0.2.1:9": "192.0.2.77", "[2001:db8::1]:9": "2001:db8::77"} {
		socket, err := net.Dial("udp", address)
		require.NoError(t, err)
		require.Equal(t, from, socket.LocalAddr().(*net.UDPAddr).IP.String())
		require.NoError(t, socket.Close())
	}

	made, err := net.InterfaceByName("out")
	require.NoError(t, err)
	require.NotZero(t, made.Flags&net.FlagRunning)
}

func TestARefusedCallFailsInEveryThread(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	require.NoError(t, apart.RefuseCall(unix.SYS_SOCKET, unix.ENFILE))

	failed := make(chan error)
	for range 8 {
		go func() {
			_, err := net.Dial("tcp", "127.0.0.1:9")
			failed <- err
		}()
	}

	for range 8 {
		require.ErrorIs(t, <-failed, unix.ENFILE)
	}
}

func TestALimitOfDescriptorsHoldsUntilItIsLifted(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	kept, err := os.Open(os.DevNull)
	require.NoError(t, err)

	lift, err := apart.LimitDescriptors(1)
	require.NoError(t, err)

	last, err := os.Open(os.DevNull)
	require.NoError(t, err)

	_, err = os.Open(os.DevNull)
	require.ErrorIs(t, err, unix.EMFILE)
	require.NoError(t, last.Close())
	require.NoError(t, lift())

	lift, err = apart.LimitDescriptors(0)
	require.NoError(t, err)
	require.NoError(t, kept.Close())

	_, err = os.Open(os.DevNull)
	require.ErrorIs(t, err, unix.EMFILE)
	require.NoError(t, lift())

	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

// The victim: what the root helper's unit takes from it, a test in its place does not have.
func TestInThePlaceOfTheHelperOnlyReadingIsLeftOfRootsRights(t *testing.T) {
	t.Parallel()

	if os.Geteuid() != 0 {
		require.ErrorContains(t, apart.AsHelper(func() error { return nil }), "run the test as root")

		return
	}

	if !apart.Here() {
		theirs := filepath.Join(t.TempDir(), "theirs")
		require.NoError(t, os.WriteFile(theirs, []byte("secret"), 0o600))
		require.NoError(t, os.Chown(theirs, 1000, 1000))

		opened, err := os.Open(theirs)
		require.NoError(t, err)

		defer opened.Close()

		apart.Run(t, apart.Place{Helper: true, Env: []string{fmt.Sprintf("APART_TEST=/proc/%d/fd/%d", os.Getpid(), opened.Fd())}})

		return
	}

	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)

	const helper = 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_SYS_PTRACE | 1<<unix.CAP_SYS_CHROOT | 1<<unix.CAP_SYSLOG | 1<<unix.CAP_BPF | 1<<unix.CAP_PERFMON
	for _, line := range []string{"CapPrm", "CapEff", "CapBnd"} {
		require.Contains(t, string(status), fmt.Sprintf("%s:\t%016x\n", line, uint64(helper)))
	}

	require.Contains(t, string(status), "NoNewPrivs:\t1\n")

	theirs := os.Getenv("APART_TEST")
	text, err := os.ReadFile(theirs)
	require.NoError(t, err, "what belongs to others can be read")
	require.Equal(t, "secret", string(text))

	for name, deed := range map[string]struct {
		do   func() error
		told error
	}{
		"writes to a file of another user": {func() error { return unix.Access(theirs, unix.W_OK) }, unix.EACCES},
		"gives a file away":                {func() error { return unix.Fchownat(unix.AT_FDCWD, theirs, 0, 0, 0) }, unix.EPERM},
		"writes to the host":               {func() error { return os.WriteFile("/etc/apart-test", nil, 0o600) }, unix.EROFS},
		"mounts":                           {func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") }, unix.EPERM},
		"makes a namespace":                {func() error { return unix.Unshare(unix.CLONE_NEWNET) }, unix.EPERM},
		"makes a user namespace":           {func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, unix.EPERM},
		"enters a namespace":               {func() error { return enterNetwork(os.Getppid()) }, unix.EPERM},
	} {
		require.ErrorIs(t, deed.do(), deed.told, name)
	}

	left, err := os.ReadDir("/tmp")
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoError(t, os.WriteFile(filepath.Join(t.TempDir(), "x"), nil, 0o600))
}

func enterNetwork(pid int) error {
	namespace, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return err
	}
	defer namespace.Close()

	return unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
}
