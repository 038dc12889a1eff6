package freeport

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPortThatIsPickedIsFreeAndZabbixTakesIt(t *testing.T) {
	for range 20 {
		port, err := Pick()
		require.NoError(t, err)
		require.True(t, port >= 1024 && port <= 32767, port)
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
}
