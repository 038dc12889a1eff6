package listener

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func wantOfLinux618() []Socket {
	group := netip.MustParseAddrPort("127.0.0.1:8080")

	return []Socket{
		{Network: TCP, Address: group, Inode: 3880247, Cookie: 12311, CgroupID: 1, Backlog: 7},
		{Network: TCP, Address: group, Inode: 3880246, Cookie: 12312, CgroupID: 1, Backlog: 7},
		{Network: TCP, Address: netip.MustParseAddrPort("[::]:8080"), V6Only: new(true), Inode: 3880248, Cookie: 12313, CgroupID: 1, Backlog: 7},
		{Network: TCP, Address: netip.MustParseAddrPort("[::1]:8080"), InterfaceIndex: 1, Inode: 3880249, Cookie: 12314, CgroupID: 1, Queue: 1, Backlog: 7},
	}
}

// TestTheTablesOfLinux618 reads the same listeners as TestAnAnswerOfLinux618 does, in what the tables know of them.
func TestTheTablesOfLinux618(t *testing.T) {
	t.Parallel()

	var want []Socket
	for _, s := range wantOfLinux618() {
		want = append(want, Socket{Network: TCP, Address: s.Address, Inode: s.Inode, Queue: s.Queue})
	}

	// A connection came between.
	want[0].Queue = 1

	var all collection
	require.NoError(t, readTables(t.Context(), "testdata/6.18", TCP, &all))
	require.ElementsMatch(t, want, all.sockets)

	all = collection{port: 8443}
	require.NoError(t, readTables(t.Context(), "testdata/6.18", UDP, &all))
	require.Equal(t, []Socket{
		{Network: UDP, Address: netip.MustParseAddrPort("127.0.0.1:8443"), Inode: 3880252},
		{Network: UDP, Address: netip.MustParseAddrPort("[::1]:8443"), Inode: 3880253},
	}, all.sockets)

	all = collection{port: 1}
	require.NoError(t, readTables(t.Context(), "testdata/6.18", TCP, &all))
	require.Empty(t, all.sockets)
}

const tableTitle = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func TestTableLines(t *testing.T) {
	t.Parallel()

	const tail = " 00:00000000 00000000  33  0 9 1 0 100 0 0 10 0\n"

	for name, c := range map[string]struct {
		line string
		want []Socket
	}{
		"a listener": {
			line: "7: 0A000001:0050 00000000:0000 0A 00000000:0000000f" + tail,
			want: []Socket{{Network: TCP, Address: netip.MustParseAddrPort("1.0.0.10:80"), UID: 33, Inode: 9, Queue: 15}},
		},
		"a connection":              {line: "7: 0A000001:0050 00000000:0000 01 00000000:00000000" + tail},
		"a state that is no number": {line: "7: 0A000001:0050 00000000:0000 XX 00000000:00000000" + tail},
		"an address of five bytes":  {line: "7: 0A00000100:0050 00000000:0000 0A 00000000:00000000" + tail},
		"an address of no number":   {line: "7: 0A0x0001:0050 00000000:0000 0A 00000000:00000000" + tail},
		"a port beyond the last":    {line: "7: 0A000001:10050 00000000:0000 0A 00000000:00000000" + tail},
		"no port":                   {line: "7: 0A000001 00000000:0000 0A 00000000:00000000" + tail},
		"no queues":                 {line: "7: 0A000001:0050 00000000:0000 0A 00000000" + tail},
		"a user beyond the last":    {line: "7: 0A000001:0050 0:0 0A 0:0 00:0 0 4294967296 0 9\n"},
		"an inode beyond the last":  {line: "7: 0A000001:0050 0:0 0A 0:0 00:0 0 0 0 4294967296\n"},
		"a line that ends too soon": {line: "7: 0A000001:0050 0:0 0A 0:0 00:0 0 0 0\n"},
		"an empty line":             {line: "\n"},
		"a line without an end":     {line: strings.Repeat("0A ", lineSize) + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var all collection

			// The line after is understood, whatever the line is.
			text := tableTitle + c.line + "8: 0100007F:0051 0:0 0A 0:0 00:0 0 0 0 1"
			require.NoError(t, parseTable(t.Context(), strings.NewReader(text+"\n"), TCP, &all))
			require.Equal(t, append(c.want, Socket{Network: TCP, Address: netip.MustParseAddrPort("127.0.0.1:81"), Inode: 1}), all.sockets)
		})
	}
}

func TestAFileThatIsNoTableIsAnError(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tcp"), []byte("0: 0A000001:0050\n"), 0o600))

	var all collection
	require.EqualError(t, readTables(t.Context(), dir, TCP, &all),
		"cannot read "+dir+"/tcp: it does not begin as the kernel's table of sockets does")
	require.EqualError(t, readTables(t.Context(), dir, UDP, &all), "cannot read "+dir+"/udp: no such file or directory")
}

func TestAKernelWithoutIPv6HasNoSecondTable(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "udp"), []byte(tableTitle), 0o600))

	var all collection
	require.NoError(t, readTables(t.Context(), dir, UDP, &all))
}

func TestALongTableIsLeftWhenNobodyWaits(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	var all collection
	require.ErrorIs(t, readTables(ctx, "testdata/6.18", TCP, &all), context.Canceled)
}

// TestAKernelThatRefusesSockDiagIsReadThroughItsTables compares both ways in one network namespace.
func TestAKernelThatRefusesSockDiagIsReadThroughItsTables(t *testing.T) {
	for _, network := range []Network{TCP, UDP} {
		t.Run(string(network), func(t *testing.T) {
			_, address := open(t, listenTask{Network: network, Address: "127.0.0.1:0", ReusePort: true})
			open(t, listenTask{Network: network, Address: address.String(), ReusePort: true})
			open(t, listenTask{Network: network, Address: withPort("::1", address.Port())})

			var want []Socket
			for _, s := range snapshot(t, Query{Port: address.Port()}) {
				want = append(want, Socket{Network: s.Network, Address: s.Address, UID: s.UID, Inode: s.Inode})
			}

			require.Len(t, want, 3)

			c := start(t, childTask{NoSockDiag: true, Snapshot: &Query{Port: address.Port(), Network: network}}, nil)
			require.ElementsMatch(t, want, c.result.Snapshot.Sockets)
			require.Equal(t, []string{"the " + string(network) + " sockets are from /proc/net, without cgroup and backlog: " +
				"cannot open a sock_diag socket: protocol not supported"}, c.result.Snapshot.Notes)
		})
	}
}

func FuzzTable(f *testing.F) {
	for _, name := range []string{"tcp", "tcp6", "udp", "udp6"} {
		data, err := os.ReadFile("testdata/6.18/" + name)
		require.NoError(f, err)
		f.Add(data)
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		for _, network := range []Network{TCP, UDP} {
			var all collection

			_ = parseTable(t.Context(), bytes.NewReader(data), network, &all)
			require.LessOrEqual(t, len(all.sockets), bytes.Count(data, []byte("\n")))

			for i := range all.sockets {
				require.True(t, all.sockets[i].Address.IsValid())
			}
		}
	})
}
