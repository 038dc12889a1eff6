package listener

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSoReusePortIsAskedWhereItCannotBeInferred(t *testing.T) {
	for name, c := range map[string]struct {
		listen []listenTask
		want   *bool
		source ReusePortSource
	}{
		"a socket that has it":        {[]listenTask{{Network: TCP, Address: "127.0.0.1:0", ReusePort: true}}, new(true), ReusePortAsked},
		"a socket that lacks it":      {[]listenTask{{Network: TCP, Address: "127.0.0.1:0"}}, new(false), ReusePortAsked},
		"a socket of UDP that has it": {[]listenTask{{Network: UDP, Address: "127.0.0.1:0", ReusePort: true}}, new(true), ReusePortAsked},
	} {
		t.Run(name, func(t *testing.T) {
			holder := start(t, childTask{Listen: c.listen}, nil)
			options := Options{Port: holder.result.Addresses[0].Port(), Processes: true}

			group := read(t, options).Groups[0]
			require.Equal(t, c.want, group.ReusePort)
			require.Equal(t, c.source, group.ReusePortSource)

			options.Processes = false
			group = read(t, options).Groups[0]
			require.Nil(t, group.ReusePort)
			require.Equal(t, "unknown", group.ReusePortSourceName)
		})
	}
}

func TestADescriptorThatIsAnotherNowIsNotAsked(t *testing.T) {
	fd, _ := open(t, listenTask{Network: TCP, Address: "127.0.0.1:0"})

	_, ok := askReusePort(holding{pid: os.Getpid(), fd: fd}, inodeOf(t, fd))
	require.True(t, ok)

	_, ok = askReusePort(holding{pid: os.Getpid(), fd: fd}, inodeOf(t, fd)+1)
	require.False(t, ok)

	_, ok = askReusePort(holding{pid: os.Getpid(), fd: 1 << 20}, 1)
	require.False(t, ok)
}
