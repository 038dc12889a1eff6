package slabowner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/child"
)

// kernelObjects are the kernel's numbers of what a session has in it.
type kernelObjects struct {
	Maps     []ebpf.MapID
	Programs []ebpf.ProgramID
	Links    []link.ID
}

func objectsOf(s *session) (o kernelObjects, err error) {
	for _, one := range s.maps.all() {
		info, infoErr := one.Info()
		if infoErr != nil {
			return o, infoErr
		}

		id, _ := info.ID()
		o.Maps = append(o.Maps, id)
	}

	for _, one := range s.programs {
		info, infoErr := one.Info()
		if infoErr != nil {
			return o, infoErr
		}

		id, _ := info.ID()
		o.Programs = append(o.Programs, id)
	}

	for _, one := range s.links {
		info, infoErr := one.Info()
		if infoErr != nil {
			return o, infoErr
		}

		o.Links = append(o.Links, info.ID)
	}

	return o, nil
}

// left are those that the kernel still has, found by the calls that tell one number after another (bpf(2)).
func (o kernelObjects) left(t *testing.T) kernelObjects {
	t.Helper()

	return kernelObjects{
		Maps:     among(t, o.Maps, ebpf.MapGetNextID),
		Programs: among(t, o.Programs, ebpf.ProgramGetNextID),
		Links:    among(t, o.Links, linkAfter),
	}
}

func among[ID comparable](t *testing.T, ids []ID, after func(ID) (ID, error)) (left []ID) {
	t.Helper()

	var id ID

	for {
		next, err := after(id)
		if errors.Is(err, fs.ErrNotExist) {
			return left
		}

		require.NoError(t, err)

		for _, one := range ids {
			if one == next {
				left = append(left, one)
			}
		}

		id = next
	}
}

// linkAfter is what the library has for maps and programs.
func linkAfter(id link.ID) (link.ID, error) {
	iterator := &link.Iterator{ID: id}
	defer iterator.Close()

	if iterator.Next() {
		return iterator.ID, nil
	}

	return 0, cmp.Or(iterator.Err(), fs.ErrNotExist)
}

func requireGone(t *testing.T, o kernelObjects) {
	t.Helper()

	// The kernel removes a program when none of its processors can run it any more.
	require.Eventually(t, func() bool {
		left := o.left(t)

		return len(left.Maps)+len(left.Programs)+len(left.Links) == 0
	}, 30*time.Second, 20*time.Millisecond, "%+v", o)
}

func TestASessionLeavesNothingInTheKernel(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	// The library looks at what the kernel can do the first time only.
	for range 2 {
		s, err := start(hostOptions())
		require.NoError(t, err)

		o, err := objectsOf(s)
		require.NoError(t, err)

		programs := 4
		if s.bulk {
			programs++
		}

		require.Equal(t, []int{5, programs, programs}, []int{len(o.Maps), len(o.Programs), len(o.Links)})
		require.ElementsMatch(t, o.Maps, o.left(t).Maps)
		require.ElementsMatch(t, o.Programs, o.left(t).Programs)
		require.ElementsMatch(t, o.Links, o.left(t).Links)
		require.Equal(t, 5+2*programs, bpfDescriptors(t))

		s.detach()
		requireGone(t, kernelObjects{Programs: o.Programs, Links: o.Links})

		s.close()
		requireGone(t, o)
		require.Zero(t, bpfDescriptors(t))
	}
}

// bpfDescriptors is how many descriptors of this process are of the kernel's programs.
func bpfDescriptors(t *testing.T) int {
	t.Helper()

	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)

	n := 0

	for _, entry := range entries {
		// The one of the directory itself is closed already.
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && strings.HasPrefix(target, "anon_inode:bpf") {
			n++
		}
	}

	return n
}

const holdVariable = "HOSTING_TEST_HOLD_SESSION"

// holdSession is what a process does that is killed while a session runs.
func holdSession() {
	if os.Getenv(holdVariable) == "" {
		return
	}

	s, err := start(hostOptions())
	if err == nil {
		var o kernelObjects
		if o, err = objectsOf(s); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(o)
		}
	}

	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}

	select {}
}

func TestAKilledProcessLeavesNothingInTheKernel(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	self, err := os.Executable()
	require.NoError(t, err)

	said, out, err := os.Pipe()
	require.NoError(t, err)

	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), holdVariable+"=1")
	cmd.Stdout = out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	exited, err := child.Start(cmd)
	require.NoError(t, err)
	require.NoError(t, out.Close())

	var o kernelObjects
	require.NoError(t, json.NewDecoder(said).Decode(&o))
	require.ElementsMatch(t, o.Programs, o.left(t).Programs)
	require.NoError(t, cmd.Process.Kill())
	<-exited
	require.NoError(t, said.Close())
	requireGone(t, o)
}
