package tracepoint

import (
	"fmt"

	"github.com/cilium/ebpf/btf"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// Places in the counters of a process's memory (include/linux/mm_types_task.h).
const (
	filePages  = 0
	anonPages  = 1
	shmemPages = 3
)

// findMemory finds the sizes of a process.
func (l *layout) findMemory(kernel *btf.Spec) error {
	if err := find(kernel, []wanted{
		{"task_struct", "mm", 8, &l.mm},
		{"mm_struct", "total_vm", 8, &l.totalVM},
		{"mm_struct", "pgtables_bytes", 8, &l.page},
	}); err != nil {
		return err
	}

	first, stride, err := findCounters(kernel)
	if err != nil {
		return err
	}

	for at, to := range map[int32]*bpf.Field{filePages: &l.file, anonPages: &l.anon, shmemPages: &l.shmem} {
		*to = bpf.Field{Offset: first.Offset + at*stride}
	}

	return nil
}

// findCounters finds the first of the counters of pages, and how far it is to the next. From Linux 6.2 on each processor holds some pages back of a
// counter, which the kernel leaves out too when it writes a victim into its log.
func findCounters(kernel *btf.Spec) (first bpf.Field, stride int32, err error) {
	var memory *btf.Struct
	if err := kernel.TypeByName("mm_struct", &memory); err != nil {
		return first, 0, fmt.Errorf("struct mm_struct: %w", err)
	}

	base, member := bpf.MemberOf(memory.Members, "rss_stat")
	if member == nil {
		return first, 0, fmt.Errorf("struct mm_struct has no rss_stat")
	}

	first.Offset = int32((base + member.Offset).Bytes())

	within, in, stride := "count", "mm_rss_stat", int32(8)

	if array, ok := member.Type.(*btf.Array); ok {
		in = "percpu_counter"

		size, err := btf.Sizeof(array.Type)
		if err != nil {
			return first, 0, err
		}

		stride = int32(size)
	}

	count, err := bpf.Find(kernel, in, within, bpf.AnySize)
	first.Offset += count.Offset

	return first, stride, err
}

// findCgroup finds the number of a process's memory cgroup.
func (l *layout) findCgroup(kernel *btf.Spec) error {
	if err := find(kernel, []wanted{
		{"task_struct", "cgroups", 8, &l.sets},
		{"css_set", "subsys", bpf.AnySize, &l.state},
		{"cgroup_subsys_state", "cgroup", 8, &l.group},
		{"cgroup", "kn", 8, &l.node},
		{"kernfs_node", "id", 8, &l.id},
	}); err != nil {
		return err
	}

	var controllers *btf.Enum
	if err := kernel.TypeByName("cgroup_subsys_id", &controllers); err != nil {
		return fmt.Errorf("enum cgroup_subsys_id: %w", err)
	}

	for _, value := range controllers.Values {
		if value.Name == "memory_cgrp_id" {
			l.state.Offset += int32(8 * value.Value)

			return nil
		}
	}

	return fmt.Errorf("enum cgroup_subsys_id has no memory_cgrp_id")
}
