// Package tracepoint has the kernel tell of every process that its OOM killer kills, at the tracepoint oom:mark_victim: also of those that the kernel
// log leaves out or that are gone from it.
//
// Its program runs in the kernel (BPF) at a kill and at nothing else. It watches and changes nothing; it goes when this process does, however it ends.
// The kernel marks a process, too, that was about to end already when it was chosen: such a one is told of as well, and the kernel counts no kill.
package tracepoint

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// ringSize holds 546 kills that have not been read.
const ringSize = 64 << 10

// killer is what is watched.
var killer = bpf.Traced("the OOM killer")

// Watch is a program in the kernel and the ring that it writes to.
type Watch struct {
	layout  *layout
	ring    bpf.Ring
	program *ebpf.Program
	link    link.Link
	read    ringbuf.Record
}

// Open starts to watch. The error says what is missing; errors.Is(err, fs.ErrPermission) tells one that root would not get.
func Open() (*Watch, error) {
	w := &Watch{}
	if err := w.open(ringSize); err != nil {
		return nil, errors.Join(killer.Explain(err), w.Close())
	}

	// The kernel's types are not needed any more.
	debug.FreeOSMemory()

	return w, nil
}

func (w *Watch) open(size int) (err error) {
	// This is refused to who may not, before the kernel's types are read.
	if w.ring, err = bpf.NewRing("oom", size); err != nil {
		return err
	}

	if w.layout, err = readLayout(); err != nil {
		return err
	}

	p := &program{Program: bpf.Program{Ring: w.ring}, layout: w.layout}

	w.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{Name: "oom_victim", Type: ebpf.RawTracepoint, License: "GPL", Instructions: p.marked()})
	if err != nil {
		return err
	}

	w.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: "mark_victim", Program: w.program})

	return err
}

// Read waits for the next event, in the order of the kills. It fails with os.ErrClosed after Close. It is for one caller at a time.
func (w *Watch) Read() (Event, error) {
	if err := w.ring.ReadInto(&w.read); err != nil {
		return Event{}, err
	}

	e, ok := w.layout.parse(w.read.RawSample)
	if !ok {
		return Event{}, fmt.Errorf("cannot understand a record of %d bytes from the kernel: it has another form than the program gives it", len(w.read.RawSample))
	}

	return e, nil
}

// Unread is how many bytes of events wait to be read.
func (w *Watch) Unread() int { return w.ring.AvailableBytes() }

// Lost is how many events found no room in the ring. None is lost without being counted.
func (w *Watch) Lost() (uint64, error) { return w.ring.Lost() }

// Close ends the watch. Nothing is left in the kernel.
func (w *Watch) Close() error {
	var err error
	if w.link != nil {
		err = w.link.Close()
	}

	return errors.Join(err, w.program.Close(), w.ring.Close())
}
