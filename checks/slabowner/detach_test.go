package slabowner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// kernelObjects are the kernel's numbers of what a session has in it.
type kernelObjects struct {
	Maps     []ebpf.MapID
	Programs []ebpf.ProgramID
	Links    []link.ID
}

func objectsOf(s *session) (o kernelObjects, err error) {
	maps, err := idsOf(s.maps.all(), func(m *ebpf.Map) (ebpf.MapID, error) {
		info, err := m.Info()
		if err != nil {
			return 0, err
		}

		id, _ := info.ID()

		return id, nil
	})
	programs, programErr := idsOf(s.programs, func(p *ebpf.Program) (ebpf.ProgramID, error) {
		info, err := p.Info()
		if err != nil {
			return 0, err
		}

		id, _ := info.ID()

		return id, nil
	})
	links, linkErr := idsOf(s.links, func(l link.Link) (link.ID, error) {
		info, err := l.Info()
		if err != nil {
			return 0, err
		}

		return info.ID, nil
	})

	return kernelObjects{maps, programs, links}, errors.Join(err, programErr, linkErr)
}

func idsOf[T, ID any](all []T, idOf func(T) (ID, error)) (ids []ID, err error) {
	for _, one := range all {
		id, idErr := idOf(one)
		ids, err = append(ids, id), errors.Join(err, idErr)
	}

	return ids, err
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

// linkAfter is what the library has for maps and programs. While another process makes a link, the kernel wants to be asked again.
func linkAfter(id link.ID) (link.ID, error) {
	for {
		iterator := &link.Iterator{ID: id}
		found, next, err := iterator.Next(), iterator.ID, iterator.Err()
		iterator.Close()

		switch {
		case found:
			return next, nil
		case !errors.Is(err, unix.EAGAIN):
			return 0, cmp.Or(err, fs.ErrNotExist)
		}
	}
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

	if !alone(t, apart.Place{}) {
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

	_, _ = io.Copy(io.Discard, os.Stdin)

	os.Exit(0)
}

func TestAKilledProcessLeavesNothingInTheKernel(t *testing.T) {
	t.Parallel()

	if !mayFollow(t) {
		return
	}

	self, err := os.Executable()
	require.NoError(t, err)

	// Its input ends with this process, if this one is killed itself.
	in, input, err := os.Pipe()
	require.NoError(t, err)

	said, output, err := os.Pipe()
	require.NoError(t, err)

	process, err := os.StartProcess(self, []string{self}, &os.ProcAttr{Env: append(os.Environ(), holdVariable+"=1"), Files: []*os.File{in, output, os.Stderr}})
	require.NoError(t, err)
	require.NoError(t, errors.Join(in.Close(), output.Close()))

	var o kernelObjects
	require.NoError(t, json.NewDecoder(said).Decode(&o))
	require.ElementsMatch(t, o.Programs, o.left(t).Programs)
	require.NoError(t, process.Kill())

	_, err = process.Wait()
	require.NoError(t, errors.Join(err, said.Close(), input.Close()))
	requireGone(t, o)
}
