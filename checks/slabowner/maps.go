package slabowner

import (
	"errors"
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
	for _, one := range []*ebpf.Map{m.live, m.stacks, m.caches, m.settings, m.counters} {
		if one != nil {
			_ = one.Close()
		}
	}
}

// setThreshold follows the addresses whose hash is not above it.
func (m *kernelMaps) setThreshold(threshold uint32) error {
	return m.settings.Put(uint32(0), threshold)
}

// count adds up what the processors have counted.
func (m *kernelMaps) count() (sum counters, err error) {
	var each []counters
	if err := m.counters.Lookup(uint32(0), &each); err != nil {
		return sum, err
	}

	for _, one := range each {
		sum.Events += one.Events
		sum.Followed += one.Followed
		sum.Freed += one.Freed
		sum.Full += one.Full
		sum.NoStack += one.NoStack
		sum.Replaced += one.Replaced
	}

	return sum, nil
}

// batch is how many entries are read or removed with one system call.
const batch = 4096

// each calls visit for every allocation that is followed now. Those that come and go meanwhile may be missed.
func (m *kernelMaps) each(visit func(address uint64, e *entry)) error {
	var cursor ebpf.MapBatchCursor

	addresses, entries := make([]uint64, batch), make([]entry, batch)

	for {
		n, err := m.live.BatchLookup(&cursor, addresses, entries, nil)
		for i := range n {
			visit(addresses[i], &entries[i])
		}

		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}

		if err != nil {
			return fmt.Errorf("cannot read what is followed: %w", err)
		}
	}
}

// dropAbove forgets what would not be followed with that threshold.
func (m *kernelMaps) dropAbove(threshold uint32) error {
	var gone []uint64

	err := m.each(func(address uint64, e *entry) {
		if hash(address) > threshold && e.Size <= largest {
			gone = append(gone, address)
		}
	})

	for len(gone) > 0 && err == nil {
		n := min(batch, len(gone))

		// An allocation that was freed meanwhile is no longer there.
		if _, err = m.live.BatchDelete(gone[:n], nil); errors.Is(err, ebpf.ErrKeyNotExist) {
			err = nil
		}

		gone = gone[n:]
	}

	return err
}

// hash of an address, as the programs compute it, so that an allocation and its freeing decide alike without a look at a map.
func hash(address uint64) uint32 { return uint32((address >> hashShift) * hashFactor >> 32) }

const (
	// Addresses are multiples of 8.
	hashShift  = 3
	hashFactor = 0x9E3779B97F4A7C15
)
