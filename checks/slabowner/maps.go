package slabowner

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// kernelMaps are what the programs and this process share.
type kernelMaps struct {
	live, stacks, caches, settings, counters *ebpf.Map
}

func newMaps() (m kernelMaps, err error) {
	for _, one := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{
		{&m.live, ebpf.MapSpec{Name: "slab_live", Type: ebpf.Hash, KeySize: wordSize, ValueSize: entrySize, MaxEntries: maxLive}},
		{&m.stacks, ebpf.MapSpec{Name: "slab_stacks", Type: ebpf.StackTrace, KeySize: 4, ValueSize: wordSize * maxFrames, MaxEntries: maxStacks}},
		{&m.caches, ebpf.MapSpec{Name: "slab_caches", Type: ebpf.Hash, KeySize: wordSize, ValueSize: cacheInfoSize, MaxEntries: maxCaches}},
		{&m.settings, ebpf.MapSpec{Name: "slab_settings", Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1}},
		{&m.counters, ebpf.MapSpec{Name: "slab_counters", Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: countersSize, MaxEntries: 1}},
	} {
		if *one.to, err = ebpf.NewMap(&one.spec); err != nil {
			m.close()

			return m, fmt.Errorf("cannot make a map for the kernel: %w", err)
		}
	}

	return m, nil
}

func (m *kernelMaps) close() {
	for _, one := range m.all() {
		if one != nil {
			_ = one.Close()
		}
	}
}

func (m *kernelMaps) all() []*ebpf.Map {
	return []*ebpf.Map{m.live, m.stacks, m.caches, m.settings, m.counters}
}
