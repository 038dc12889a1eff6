package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// Ring is where a program puts its records. What finds no room is counted.
type Ring struct {
	*ringbuf.Reader

	records, lost *ebpf.Map
}

// NewRing makes one of a size that is a power of 2, at least a page. The kernel shows its maps by the name.
func NewRing(name string, size int) (r Ring, err error) {
	r.records, err = ebpf.NewMap(&ebpf.MapSpec{Name: name + "_ring", Type: ebpf.RingBuf, MaxEntries: uint32(size)})
	if err != nil {
		return r, err
	}

	r.lost, err = ebpf.NewMap(&ebpf.MapSpec{Name: name + "_lost", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		return r, err
	}

	r.Reader, err = ringbuf.NewReader(r.records)

	return r, err
}

// Lost is how many records found no room. None is lost without being counted.
func (r *Ring) Lost() (uint64, error) {
	var lost uint64
	if err := r.lost.Lookup(uint32(0), &lost); err != nil {
		return 0, fmt.Errorf("cannot read how many records were lost: %w", err)
	}

	return lost, nil
}

// Close also closes what NewRing could make only in part.
func (r *Ring) Close() error {
	var err error
	if r.Reader != nil {
		err = r.Reader.Close()
	}

	return errors.Join(err, r.records.Close(), r.lost.Close())
}
