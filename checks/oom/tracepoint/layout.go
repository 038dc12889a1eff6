package tracepoint

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// layout is where the running kernel keeps what a record tells, by its own description of its types (BTF).
type layout struct {
	// tellsTask is true from Linux 6.9 on, where the tracepoint tells the victim itself and not only its number.
	tellsTask bool

	pid, leader, name, credentials, uid, signal, adj bpf.Field

	// memory and cgroups are false where the kernel keeps them in a way that is not known here.
	memory                               bool
	mm, totalVM, anon, file, shmem, page bpf.Field
	cgroups                              bool
	sets, state, group, node, id         bpf.Field

	// These lead from the number to the victim before Linux 6.9.
	ownPID, numbers, namespace, index, tree, head, shift, slots, tasks, links bpf.Field
}

// wanted is a member and the size that the program reads.
type wanted struct {
	in, name string
	size     int
	to       *bpf.Field
}

func find(kernel *btf.Spec, all []wanted) (err error) {
	for _, w := range all {
		if *w.to, err = bpf.Find(kernel, w.in, w.name, w.size); err != nil {
			return err
		}
	}

	return nil
}

// readLayout asks the kernel that runs.
func readLayout() (*layout, error) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, fmt.Errorf("cannot learn where the kernel keeps its processes: %w; use one with CONFIG_DEBUG_INFO_BTF", err)
	}

	l, err := layoutOf(kernel)
	if err != nil {
		return nil, fmt.Errorf("cannot learn where the kernel keeps its processes: %w; use Linux 5.15 or newer", err)
	}

	return l, nil
}

func layoutOf(kernel *btf.Spec) (*layout, error) {
	l := &layout{}

	arguments, err := bpf.Arguments(kernel, "btf_trace_mark_victim")
	if err != nil {
		return nil, err
	}

	if len(arguments) < 2 {
		return nil, errors.New("mark_victim tells nothing")
	}

	l.tellsTask = bpf.PointsTo(arguments[1], "task_struct")

	all := l.process()
	if !l.tellsTask {
		all = append(all, l.numbered()...)
	}

	if err := find(kernel, all); err != nil {
		return nil, err
	}

	l.memory = l.findMemory(kernel) == nil
	l.cgroups = l.findCgroup(kernel) == nil

	return l, nil
}

func (l *layout) process() []wanted {
	return []wanted{
		{"task_struct", "pid", 4, &l.pid},
		{"task_struct", "group_leader", 8, &l.leader},
		{"task_struct", "comm", nameSize, &l.name},
		{"task_struct", "real_cred", 8, &l.credentials},
		{"cred", "uid", 4, &l.uid},
		{"task_struct", "signal", 8, &l.signal},
		{"signal_struct", "oom_score_adj", 2, &l.adj},
	}
}

func (l *layout) numbered() []wanted {
	return []wanted{
		{"task_struct", "thread_pid", 8, &l.ownPID},
		{"pid", "numbers", bpf.AnySize, &l.numbers},
		{"upid", "ns", 8, &l.namespace},
		{"pid_namespace", "idr", bpf.AnySize, &l.index},
		{"idr", "idr_rt", bpf.AnySize, &l.tree},
		{"xarray", "xa_head", 8, &l.head},
		{"xa_node", "shift", 1, &l.shift},
		{"xa_node", "slots", bpf.AnySize, &l.slots},
		{"pid", "tasks", bpf.AnySize, &l.tasks},
		{"task_struct", "pid_links", bpf.AnySize, &l.links},
	}
}
