package oom

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func kb(n uint64) *uint64 { return new(n << 10) }

// TestVictimsOfEachKernel reads the messages of real kernels.
func TestVictimsOfEachKernel(t *testing.T) {
	t.Parallel()

	const (
		docker44  = "/docker/34186d9bd07706222bd427bb647ceed81e8e108eb653ff73c7137099fca1cab6"
		docker415 = "/docker/0f2b3fcdd2578165ea77266cdc7b1ad43e75877b0ac1889ecda30a78cb78bd53"
		pod51     = "/kubepods.slice/kubepods-burstable.slice/" +
			"kubepods-burstable-podef7ce918_ae07_11e9_bf64_00163e08cd06.slice/" +
			"docker-5c223edfde3b17676cb982efdc201218a674578704d33d09de4775b721cb4702.scope"
		pod515 = "/kubepods.slice/kubepods-burstable.slice/" +
			"kubepods-burstable-pod10d16a28_60ff_475f_a631_510d9792219f.slice/" +
			"cri-containerd-178ec18073cc6ac7be2de8d9869daf162a6349dd056b6535849112c53ec3102a.scope"
	)

	freeswitch := func(at float64, pid int, vm, anon uint64, trigger string) Victim {
		return Victim{
			At: at, Name: "freeswitch", PID: pid, UID: new(0), Constraint: ConstraintGlobal, TotalVMBytes: kb(vm),
			RSSBytes: kb(anon), AnonRSSBytes: kb(anon), FileRSSBytes: kb(0), ShmemRSSBytes: kb(0), Trigger: trigger,
		}
	}

	cases := map[string][]Victim{
		"2.6.32": {{
			At: 6710784.707, Name: "java", PID: 215701, UID: new(679), Constraint: ConstraintCgroup,
			Cgroup: "/LXC011175068174", OOMCgroup: "/LXC011175068174",
			TotalVMBytes: kb(11017300), RSSBytes: kb(7152432 + 1232), AnonRSSBytes: kb(7152432), FileRSSBytes: kb(1232),
			Trigger: "java",
		}},
		"3.10": {
			freeswitch(100910.784, 6691, 3826532, 1952492, "gmain"),
			freeswitch(87068.237, 1727, 3770896, 1928716, "in:imjournal"),
			freeswitch(87068.133, 1705, 3770896, 1925484, "in:imjournal"),
		},
		"4.4": {{
			At: 14808.083, Name: "main", PID: 11344, Constraint: ConstraintCgroup, Cgroup: docker44, OOMCgroup: docker44,
			TotalVMBytes: kb(390360), RSSBytes: kb(183712 + 1016), AnonRSSBytes: kb(183712), FileRSSBytes: kb(1016),
			Trigger: "main",
		}},
		"4.15": {{
			At: 193038.148, Name: "java", PID: 27281, Constraint: ConstraintCgroup, Cgroup: docker415, OOMCgroup: docker415,
			TotalVMBytes: kb(4613208), RSSBytes: kb(517316 + 20168), AnonRSSBytes: kb(517316), FileRSSBytes: kb(20168),
			ShmemRSSBytes: kb(0), Trigger: "java",
		}},
		// The kernel chose bash and killed its child.
		"4.16-child": {{
			At: 100, Name: "dd", PID: 3876, Constraint: ConstraintCgroup, Cgroup: "/test", OOMCgroup: "/test",
			TotalVMBytes: kb(8484), RSSBytes: kb(1052 + 1720), AnonRSSBytes: kb(1052), FileRSSBytes: kb(1720),
			ShmemRSSBytes: kb(0), Trigger: "dd",
		}},
		"4.16-spaces": {{
			At: 617.823, Name: "Web Content", PID: 2279, Constraint: ConstraintGlobal, TotalVMBytes: kb(5606512),
			RSSBytes: kb(1694156), AnonRSSBytes: kb(1694156), FileRSSBytes: kb(0), ShmemRSSBytes: kb(0),
		}},
		// This kernel writes CONSTRAINT_NONE for a cgroup at its limit.
		"5.1": {{
			At: 200, Name: "php-fpm7", PID: 26865, UID: new(65534), Constraint: ConstraintCgroup,
			Cgroup: pod51, OOMCgroup: pod51, TotalVMBytes: kb(367860), RSSBytes: kb(177544 + 1720 + 13216),
			AnonRSSBytes: kb(177544), FileRSSBytes: kb(1720), ShmemRSSBytes: kb(13216),
		}},
		// This kernel writes the bytes of the page tables as kB.
		"5.4": {{
			At: 300, Name: "python", PID: 1878, UID: new(1000), Constraint: ConstraintGlobal, TotalVMBytes: kb(869012),
			RSSBytes: kb(604572 + 4), AnonRSSBytes: kb(604572), FileRSSBytes: kb(4), ShmemRSSBytes: kb(0),
			PageTablesBytes: new(uint64(1269760)), OOMScoreAdj: new(0),
		}},
		// In a storm of kills the kernel leaves out all lines but the last.
		"5.4-storm": {
			{
				At: 518.061, Name: "(resolved)", PID: 15925, Constraint: ConstraintGlobal, TotalVMBytes: kb(168424),
				RSSBytes: kb(4064 + 3584), AnonRSSBytes: kb(4064), FileRSSBytes: kb(3584), ShmemRSSBytes: kb(0),
			},
			{
				At: 518.05, Name: "python3", PID: 15784, Constraint: ConstraintGlobal, TotalVMBytes: kb(11964),
				RSSBytes: kb(4288 + 3028), AnonRSSBytes: kb(4288), FileRSSBytes: kb(3028), ShmemRSSBytes: kb(0),
			},
		},
		"5.8": {{
			At: 400, Name: "containerd", PID: 4100, UID: new(0), Constraint: ConstraintCpuset,
			Cgroup: "/system.slice/containerd.service", TotalVMBytes: kb(4077036), RSSBytes: kb(51184 + 26016),
			AnonRSSBytes: kb(51184), FileRSSBytes: kb(26016), ShmemRSSBytes: kb(0), PageTablesBytes: kb(676),
			OOMScoreAdj: new(0), Trigger: "runc:[2:INIT]",
		}},
		// memory.oom.group names the victim twice.
		"5.15-group": {{
			At: 8341.856, Name: "stress", PID: 68061, UID: new(0), Constraint: ConstraintCgroup,
			Cgroup: pod515, OOMCgroup: "/kubepods.slice", TotalVMBytes: kb(4195088), RSSBytes: kb(2884696 + 288),
			AnonRSSBytes: kb(2884696), FileRSSBytes: kb(288), ShmemRSSBytes: kb(0), PageTablesBytes: kb(5696),
			OOMScoreAdj: new(872),
		}},
		"6.1": {{
			At: 29924.805, Name: "(sd-pam)", PID: 4503, UID: new(0), Constraint: ConstraintGlobal,
			Cgroup: "/user.slice/user-0.slice/user@0.service/init.scope", TotalVMBytes: kb(173972), RSSBytes: kb(0),
			AnonRSSBytes: kb(0), FileRSSBytes: kb(0), ShmemRSSBytes: kb(0), PageTablesBytes: kb(96), OOMScoreAdj: new(100),
		}},
		"6.8": {{
			At: 60507, Name: "php", PID: 70787, UID: new(1000), Constraint: ConstraintGlobal,
			Cgroup: "/system.slice/cron.service", TotalVMBytes: kb(3621976), RSSBytes: kb(3235148 + 5760 + 69120),
			AnonRSSBytes: kb(3235148), FileRSSBytes: kb(5760), ShmemRSSBytes: kb(69120), PageTablesBytes: kb(6960),
			OOMScoreAdj: new(0), Trigger: "systemd",
		}},
		"6.18": {{
			At: 901.511, Name: "tail", PID: 10717, UID: new(0), Constraint: ConstraintCgroup, Cgroup: "/zt1", OOMCgroup: "/zt1",
			TotalVMBytes: kb(23140), RSSBytes: kb(20352 + 1680), AnonRSSBytes: kb(20352), FileRSSBytes: kb(1680),
			ShmemRSSBytes: kb(0), PageTablesBytes: kb(84), OOMScoreAdj: new(0), Trigger: "tail",
		}},
	}

	for kernel, want := range cases {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()

			var lines assembler

			for _, text := range records(t, kernel) {
				r, ok := parseRecord([]byte(text))
				require.True(t, ok, text)
				lines.add(r, func(sinceBoot time.Duration) time.Time { return time.Unix(0, int64(sinceBoot)) })
			}

			for i := range lines.victims {
				lines.victims[i].at = 0
			}

			require.Equal(t, want, lines.victims)
		})
	}
}
