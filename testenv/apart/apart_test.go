package apart_test

import (
	"net"
	"net/netip"
	"os"
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
