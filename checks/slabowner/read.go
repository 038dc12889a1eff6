package slabowner

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
)

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

// dropAbove forgets what would not be followed with that threshold: what is large always is.
func (m *kernelMaps) dropAbove(threshold uint32, largest uint64) error {
	var gone []uint64

	err := m.each(func(address uint64, e *entry) {
		if hash(address) > threshold && !e.large(largest) {
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

// cacheNames are the names of the caches that were seen, by the kernel's addresses of them.
func (m *kernelMaps) cacheNames() (map[uint64]string, error) {
	var (
		address uint64
		info    cacheInfo
		names   = make(map[uint64]string)
	)

	iterator := m.caches.Iterate()
	for iterator.Next(&address, &info) {
		names[address], _, _ = strings.Cut(string(info.Name[:]), "\x00")
	}

	if err := iterator.Err(); err != nil {
		return nil, fmt.Errorf("cannot read the names of the caches: %w", err)
	}

	return names, nil
}

// stack is that of an allocation, innermost first.
func (m *kernelMaps) stack(id int32) []uint64 {
	var frames [maxFrames]uint64
	if err := m.stacks.Lookup(uint32(id), &frames); err != nil {
		return nil
	}

	if end := slices.Index(frames[:], 0); end >= 0 {
		return frames[:end]
	}

	return frames[:]
}
