package probe

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/bpf"
	"zabbix-agent2-plugin-hosting/checks/listener"
)

// bits are where Linux 6.18 on amd64 keeps them, on which the records of testdata were made.
var bits = layout{reusePort: bpf.Field{Mask: 1 << 4}, v6Only: bpf.Field{Mask: 1 << 5}}

// fixture is a record as the program put it into the ring.
func fixture(t testing.TB, name string) []byte {
	t.Helper()

	raw, err := os.ReadFile(filepath.Join("testdata", "6.18", name))
	require.NoError(t, err)

	return raw
}

func TestARecordOfTheKernel(t *testing.T) {
	t.Parallel()

	opened, ok := bits.parse(fixture(t, "opened"))
	require.True(t, ok)

	socket := listener.Socket{
		Network: listener.TCP, Address: netip.MustParseAddrPort("[::]:8080"), V6Only: new(false), Cookie: 89270, CgroupID: 1,
	}
	require.Equal(t, Record{
		Kind: Opened, SinceBoot: 3126026250174, Socket: socket, ReusePort: new(true), NamespaceID: 4026532177,
		Tasks: []Task{
			{PID: 31078, StartTicks: 312595, Name: "probe.test"},
			{PID: 31077, StartTicks: 312594, Name: "sh"},
			{PID: 31057, StartTicks: 312551, Name: "probe.test"},
			{PID: 31056, StartTicks: 312551, Name: "bash"},
			{PID: 30308, StartTicks: 311426, Name: "bash"},
		},
		Arguments: []byte("/tmp/fixt/probe.test\x00"), Program: "/tmp/fixt/probe.test",
	}, opened)

	closed, ok := bits.parse(fixture(t, "closed"))
	require.True(t, ok)
	require.Equal(t, Record{
		Kind: Closed, SinceBoot: 3126027140927, Socket: socket, ReusePort: new(true), NamespaceID: 4026532177,
	}, closed)
}

func TestARecordOfAnotherFormIsRefused(t *testing.T) {
	t.Parallel()

	opened := fixture(t, "opened")

	for name, change := range map[string]func(raw []byte) []byte{
		"empty":                     func([]byte) []byte { return nil },
		"cut within the socket":     func(raw []byte) []byte { return raw[:closedSize-1] },
		"cut within the arguments":  func(raw []byte) []byte { return raw[:openedSize-1] },
		"of another kind":           func(raw []byte) []byte { raw[atKind] = 9; return raw },
		"of another address family": func(raw []byte) []byte { raw[atFamily] = 1; return raw },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, ok := bits.parse(change(append([]byte(nil), opened...)))
			require.False(t, ok)
		})
	}
}

// TestBytesBehindTheEndOfANameAreNotPartOfIt has them be there as Linux 6.1 leaves them.
func TestBytesBehindTheEndOfANameAreNotPartOfIt(t *testing.T) {
	t.Parallel()

	raw := fixture(t, "opened")
	copy(raw[atTasks+atName:], "sh\x00stale")

	r, ok := bits.parse(raw)
	require.True(t, ok)
	require.Equal(t, "sh", r.Tasks[0].Name)
}

func FuzzRecord(f *testing.F) {
	for _, name := range []string{"opened", "closed"} {
		f.Add(fixture(f, name))
	}

	f.Fuzz(func(t *testing.T, raw []byte) {
		r, ok := bits.parse(raw)
		if !ok {
			return
		}

		require.LessOrEqual(t, len(r.Tasks), taskCount)
		require.LessOrEqual(t, len(r.Arguments), argsSize)
		require.True(t, r.Socket.Address.Addr().IsValid())
		require.False(t, r.Kind == Opened && r.InListen)
		require.False(t, r.Kind == Closed && len(r.Tasks) > 0)
	})
}
