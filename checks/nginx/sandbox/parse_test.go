package sandbox

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestTheIdentityIsReadFromStatus(t *testing.T) {
	const status = "Name:\tnginx: x\nUmask:\t0077\nState:\tS (sleeping)\nUid:\t0\t33\t0\t33\nGid:\t5\t6\t7\t8\nCapEff:\t0000000000000400\n"
	i, err := parseIdentity(status)
	require.NoError(t, err)
	require.Equal(t, identity{uid: 33, gid: 6, capabilities: 1 << unix.CAP_NET_BIND_SERVICE, umask: 0o077}, i)
	require.True(t, i.can(unix.CAP_NET_BIND_SERVICE))
	require.False(t, i.can(unix.CAP_CHOWN))

	_, err = parseIdentity("Name:\tnginx\nUid:\t0\t0\t0\t0\n")
	require.EqualError(t, err, "2 of 3 lines are missing")
	_, err = parseIdentity("Uid:\t0\tx\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0\n")
	require.ErrorContains(t, err, "invalid syntax")
}

func TestTheSessionIsReadFromStat(t *testing.T) {
	for stat, want := range map[string]struct {
		session int
		alive   bool
	}{
		"7 (a) S 1 2 3 4":           {3, true},
		"7 (a) b (c) d) R 1 2 3 4":  {3, true},
		"7 (a) Z 1 2 3 4":           {3, false},
		"7 (a) S 1 2":               {0, false},
		"nothing":                   {0, false},
		"7 (a) S 1 2 notanumber 4 ": {0, false},
	} {
		session, alive := parseSession(stat)
		require.Equal(t, want.session, session, stat)
		require.Equal(t, want.alive, alive, stat)
	}
}

func TestListsHoldEachEntryOnceUpToTheirLimit(t *testing.T) {
	var l list[int]
	omitted := 0
	var held []int
	for _, entry := range []int{1, 2, 1, 3, 4, 3, 4, 5, 5} {
		if l.add(entry, 2, &omitted) {
			held = append(held, entry)
		}
	}
	require.Equal(t, []int{1, 2}, held)
	// Beyond twice the limit an entry is counted each time.
	require.Equal(t, 4, omitted)
}

func TestTechniquesHaveStableNumbersAndNames(t *testing.T) {
	require.Equal(t, "none notify trace bare technique_4 technique_-1", TechniqueNone.String()+" "+TechniqueNotify.String()+" "+
		TechniqueTrace.String()+" "+TechniqueBare.String()+" "+Technique(4).String()+" "+Technique(-1).String())
}

func TestEveryCallIsInTheTableOnce(t *testing.T) {
	seen := map[uint32]string{}
	for _, s := range syscalls() {
		require.NotContains(t, seen, s.number, "%s and %s", s.name, seen[s.number])
		seen[s.number] = s.name
		require.LessOrEqual(t, s.number, uint32(highestSyscall))
		if s.judge == nil {
			_, answered := s.action.IsErrno()
			require.True(t, answered, s.name)
		}
	}
}
