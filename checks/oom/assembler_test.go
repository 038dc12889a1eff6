package oom

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// assemble returns the victims that the records tell of, newest first.
func assemble(t *testing.T, records ...string) []Victim {
	t.Helper()

	var lines assembler

	for _, text := range records {
		r, ok := parseRecord([]byte(text))
		require.True(t, ok, text)
		lines.add(r, func(sinceBoot time.Duration) time.Time { return time.Unix(0, int64(sinceBoot)) })
	}

	for i := range lines.victims {
		lines.victims[i].at = 0
	}

	return lines.victims
}

const sizes = "total-vm:8kB, anon-rss:3kB, file-rss:2kB, shmem-rss:1kB, UID:33 pgtables:4kB oom_score_adj:-17"

// victim is a process with those sizes.
func victim(at float64, name string, pid int) Victim {
	return Victim{
		At: at, Name: name, PID: pid, UID: new(33), Constraint: ConstraintGlobal, TotalVMBytes: kb(8), RSSBytes: kb(6),
		AnonRSSBytes: kb(3), FileRSSBytes: kb(2), ShmemRSSBytes: kb(1), PageTablesBytes: kb(4), OOMScoreAdj: new(-17),
	}
}

func TestOtherLinesMayStandBetween(t *testing.T) {
	t.Parallel()

	want := victim(7.005, "nginx", 7)
	want.Constraint, want.Trigger = ConstraintCgroup, "php-fpm8.2"
	want.Cgroup, want.OOMCgroup = "/system.slice/nginx.service", "/system.slice"

	require.Equal(t, []Victim{want}, assemble(t, kmsg(1, 7,
		"php-fpm8.2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
		"eth0: link up",
		"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0-1,3,oom_memcg=/system.slice,"+
			"task_memcg=/system.slice/nginx.service,task=nginx,pid=7,uid=33",
		"usb 1-1: new device",
		"oom_reaper: reaped process 6 (php), now anon-rss:0kB",
		"Memory cgroup out of memory: Killed process 7 (nginx) "+sizes,
	)...))
}

func TestNamesAreWhatUsersMakeOfThem(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"a b", "(sd-pam)", "x) (y", "a,pid=1,uid=0", "a: b", ",task=evil", "total-vm:1kB", "tab\tül", "\xff\x1b[2J"} {
		escaped := ""

		for _, c := range []byte(name) {
			if c < ' ' || c >= 127 {
				escaped += fmt.Sprintf(`\x%02x`, c)
			} else {
				escaped += string(c)
			}
		}

		shown := procfile.Printable(name)
		want := victim(5.002, shown, 7)
		want.Trigger, want.Cgroup = shown, "/a,b"

		require.Equal(t, []Victim{want}, assemble(t, kmsg(1, 5,
			escaped+" invoked oom-killer: gfp_mask=0x0, order=0",
			"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/a,b,task="+
				escaped+",pid=7,uid=33",
			"Out of memory: Killed process 7 ("+escaped+") "+sizes,
		)...), name)
	}
}

func TestConstraints(t *testing.T) {
	t.Parallel()

	for kind, want := range map[string]Constraint{
		"CONSTRAINT_NONE": ConstraintGlobal, "CONSTRAINT_CPUSET": ConstraintCpuset,
		"CONSTRAINT_MEMORY_POLICY": ConstraintMempolicy, "CONSTRAINT_OF_TOMORROW": ConstraintGlobal,
	} {
		got := assemble(t, kmsg(1, 5,
			"oom-kill:constraint="+kind+",nodemask=0,cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=a,pid=7,uid=33",
			"Out of memory: Killed process 7 (a) "+sizes)...)
		require.Len(t, got, 1)
		require.Equal(t, want, got[0].Constraint, kind)
	}

	got := assemble(t, kmsg(1, 5, "Killed process 7 (a) "+sizes)...)
	require.Len(t, got, 1)
	require.Equal(t, ConstraintUnknown, got[0].Constraint, "the line that tells was lost")
}

func TestWhatIsAnnouncedIsForOneKillOnly(t *testing.T) {
	t.Parallel()

	first := victim(5.001, "a", 7)
	first.Trigger = "php"

	require.Equal(t, []Victim{victim(5.002, "b", 8), first}, assemble(t, kmsg(1, 5,
		"php invoked oom-killer: gfp_mask=0x0",
		"Out of memory: Killed process 7 (a) "+sizes,
		"Out of memory: Killed process 8 (b) "+sizes)...))

	late := append(kmsg(1, 5, "php invoked oom-killer: gfp_mask=0x0"),
		kmsg(2, 66, "Out of memory: Killed process 7 (a) "+sizes)...)
	require.Equal(t, []Victim{victim(66, "a", 7)}, assemble(t, late...), "its kill was lost long ago")
}

func TestSummaryOfAnotherProcess(t *testing.T) {
	t.Parallel()

	// Kernels 5.0 to 5.2 sum up the process chosen and may kill its child.
	want := victim(5.002, "child", 8)
	want.UID, want.Constraint, want.OOMCgroup, want.Trigger = nil, ConstraintCgroup, "/site", "php"
	want.PageTablesBytes, want.OOMScoreAdj = nil, nil

	require.Equal(t, []Victim{want}, assemble(t, kmsg(1, 5,
		"php invoked oom-killer: gfp_mask=0x0",
		"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/site,task_memcg=/site/a,"+
			"task=parent,pid=7,uid=1000",
		"Memory cgroup out of memory: Killed process 8 (child) total-vm:8kB, anon-rss:3kB, file-rss:2kB, shmem-rss:1kB",
	)...))
}

func TestGroupKill(t *testing.T) {
	t.Parallel()

	member := func(at float64, name string, pid int, cgroup string) Victim {
		v := victim(at, name, pid)
		v.Constraint, v.Cgroup, v.OOMCgroup, v.Trigger = ConstraintCgroup, cgroup, "/site", "php"

		return v
	}

	got := assemble(t, append(kmsg(1, 5,
		"php invoked oom-killer: gfp_mask=0x0",
		"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/site,task_memcg=/site/a,"+
			"task=php,pid=7,uid=33",
		"Memory cgroup out of memory: Killed process 7 (php) "+sizes,
		"Tasks in /site are going to be killed due to memory.oom.group set",
		"Memory cgroup out of memory: Killed process 7 (php) "+sizes,
		"Memory cgroup out of memory: Killed process 8 (nginx) "+sizes,
		"Memory cgroup out of memory: Killed process 9 (sh) "+sizes,
	), kmsg(100, 9, "Out of memory: Killed process 10 (late) "+sizes)...)...)

	require.Equal(t, []Victim{
		victim(9, "late", 10), member(5.006, "sh", 9, "/site"), member(5.005, "nginx", 8, "/site"),
		member(5.002, "php", 7, "/site/a"),
	}, got)
}

func TestOneProcessKilledTwice(t *testing.T) {
	t.Parallel()

	line := "Out of memory: Killed process 7 (a) " + sizes

	require.Len(t, assemble(t, append(kmsg(1, 5, line), kmsg(2, 14, line)...)...), 1)
	require.Len(t, assemble(t, append(kmsg(1, 5, line), kmsg(2, 16, line)...)...), 2, "the pid was used again")
}

func TestTwentyVictimsAreKept(t *testing.T) {
	t.Parallel()

	var lines []string
	for pid := range 50 {
		lines = append(lines, fmt.Sprintf("Out of memory: Killed process %d (a) %s", pid, sizes))
	}

	got := assemble(t, kmsg(1, 5, lines...)...)
	require.Len(t, got, 20)
	require.Equal(t, 49, got[0].PID)
	require.Equal(t, 30, got[19].PID)
}

func TestLinesPrintedPiecemeal(t *testing.T) {
	t.Parallel()

	const killed = "3,9,5000000,-;Memory cgroup out of memory: Killed process 7 (a) " + sizes

	want := victim(5, "a", 7)
	want.Constraint, want.Cgroup, want.OOMCgroup = ConstraintCgroup, "/site/a", "/site"

	t.Run("by a kernel that marks the further pieces", func(t *testing.T) {
		t.Parallel()

		require.Equal(t, []Victim{want}, assemble(t,
			"6,1,5000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)",
			"6,2,5000000,c;,cpuset=/,mems_allowed=0,oom_memcg=/site,task_memcg=/site/a",
			"6,3,5000000,-;eth0: link up",
			"6,4,5000000,c;,task=a,pid=7,uid=33",
			killed))
	})

	t.Run("by a kernel that marks the first piece too", func(t *testing.T) {
		t.Parallel()

		require.Equal(t, []Victim{want}, assemble(t,
			"6,1,5000000,c;Task in ", "6,2,5000000,+;/site/a", "6,3,5000000,+; killed as a result of limit of ",
			"6,4,5000000,+;/site", killed))
	})

	t.Run("but a piece without a beginning is nothing", func(t *testing.T) {
		t.Parallel()

		require.Empty(t, assemble(t, "6,4,5000000,c;,task=a,pid=7,uid=33"))
	})
}

func TestOnlyTheKernelIsBelieved(t *testing.T) {
	t.Parallel()

	// A process that may write to /dev/kmsg gets facility 1 or above from the kernel.
	require.Empty(t, assemble(t,
		"12,1,5000000,-;Out of memory: Killed process 7 (a) "+sizes,
		"8,2,5000000,-;Out of memory: Killed process 8 (a) "+sizes))

	// Text that a user can bring into a line of the kernel's.
	require.Empty(t, assemble(t, kmsg(1, 5,
		"audit: name=\"Out of memory: Killed process 7 (a) "+sizes+"\"",
		"EXT4-fs (x: Killed process 7 (a)): mounted",
		"EXT4-fs: Killed process 7 (a)",
		"oom_reaper: reaped process 7 (a), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
		"Memory cgroup out of memory: OOM victim 7 (a) is already exiting. Skip killing the task",
		"Out of memory and no killable processes...",
		"Killed process (a) total-vm:1kB",
		"Killed process 7 a total-vm:1kB",
	)...))
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte("php invoked oom-killer: x\nOut of memory: Killed process 7 (a) " + sizes + "\n"))
	f.Add([]byte("oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/,task_memcg=/a,task=b,pid=7,uid=0\n" +
		"Memory cgroup out of memory: Killed process 7 (b), UID 1, total-vm:1kB\n"))
	f.Add([]byte("Task in /a killed as a result of limit of /\nKilled process 1, UID 2, (c) total-vm:3kB\n"))
	f.Add([]byte("Tasks in /a are going to be killed due to memory.oom.group set\nKilled process 1 (()) total-vm:99999999999999999999kB\n"))

	f.Fuzz(func(t *testing.T, data []byte) {
		var lines assembler

		for i, line := range splitLines(data) {
			lines.add(record{sinceBoot: time.Duration(i) * time.Second, byKernel: true, continues: len(line)%5 == 0, text: line},
				func(d time.Duration) time.Time { return time.Unix(0, int64(d)) })
		}

		require.LessOrEqual(t, len(lines.victims), maxVictims)

		for _, v := range lines.victims {
			require.LessOrEqual(t, len(v.Name), maxName)
			require.LessOrEqual(t, len(v.Trigger), maxName)
			require.NotEmpty(t, v.Constraint)
		}
	})
}
