package child_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/child"
)

func TestStartReapsTheProcessAndTellsItsEnd(t *testing.T) {
	t.Parallel()

	cmd := exec.Command("/bin/sh", "-c", "exit 7")
	exited, err := child.Start(cmd)
	require.NoError(t, err)

	select {
	case <-exited:
		require.Equal(t, 7, cmd.ProcessState.ExitCode())
	case <-time.After(10 * time.Second):
		require.Fail(t, "the end was not told")
	}
}

func TestStartOfWhatDoesNotExistIsAnError(t *testing.T) {
	t.Parallel()

	_, err := child.Start(exec.Command("/does/not/exist"))
	require.ErrorContains(t, err, "no such file")
}
