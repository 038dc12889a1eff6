// Package probe has the kernel tell of every socket that begins to receive clients, however shortly, and of its end, with
// the process that did it.
//
// Its programs run in the kernel (BPF). They watch and change nothing; they go when this process does, however it ends.
package probe

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// RingSize holds some 2,000 openings with their closings that have not been read.
const RingSize = 1 << 20

// ErrWoken is what Read fails with after Wake.
var ErrWoken = ringbuf.ErrFlushed

// Probe is programs in the kernel and the ring that they write to.
type Probe struct {
	layout *layout
	ring   bpf.Ring
	udp    datagrams
	// executions has the last programs that were started, by the number of the process.
	executions *ebpf.Map
	// loaded are in order of their making.
	loaded []*loaded
	read   ringbuf.Record
}

// Open starts to watch TCP sockets, in all network namespaces. The ring's size is a power of 2, at least a page. The
// error says what is missing; errors.Is(err, fs.ErrPermission) tells one that another user would not get.
func Open(ringSize int) (*Probe, error) {
	l, err := readLayout()
	if err != nil {
		return nil, err
	}

	p := &Probe{layout: l}
	if err := p.open(ringSize); err != nil {
		return nil, errors.Join(sockets.Explain(err), p.Close())
	}

	return p, nil
}

func (p *Probe) open(ringSize int) (err error) {
	if p.ring, err = bpf.NewRing("listen", ringSize); err != nil {
		return err
	}

	if err := p.watchExecutions(); err != nil {
		return err
	}

	return p.run(hook{spec: &ebpf.ProgramSpec{
		Name: "listen_tcp", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "inet_sock_set_state",
		Instructions: p.program().listening(),
	}, connect: traced})
}

func (p *Probe) program() *program {
	return &program{Program: bpf.Program{Ring: p.ring}, layout: p.layout, udp: p.udp}
}

// Read waits for the next record until the deadline, and fails with os.ErrDeadlineExceeded then. Records come in the order
// in which they happened. It is for one caller at a time.
func (p *Probe) Read(deadline time.Time) (Record, error) {
	p.ring.SetDeadline(deadline)

	if err := p.ring.ReadInto(&p.read); err != nil {
		return Record{}, err
	}

	r, ok := p.layout.parse(p.read.RawSample)
	if !ok {
		return Record{}, fmt.Errorf("cannot understand a record of %d bytes from the kernel: %w", len(p.read.RawSample), errForm)
	}

	return r, nil
}

var errForm = errors.New("it has another form than the program gives it")

// Backlog is which share of the ring, from 0 to 1, waits to be read.
func (p *Probe) Backlog() float64 {
	return float64(p.ring.AvailableBytes()) / float64(p.ring.BufferSize())
}

// Lost is how many records found no room in the ring. None is lost without being counted.
func (p *Probe) Lost() (uint64, error) { return p.ring.Lost() }

// Skipped is how many runs of the programs the kernel left out, as another one was interrupted on the same processor. That
// happens to the changes of state of connections; a socket begins and ceases to listen where a process asks for it.
func (p *Probe) Skipped() (uint64, error) {
	var skipped uint64

	for _, l := range p.loaded {
		stats, err := l.program.Stats()
		if err != nil {
			return 0, fmt.Errorf("cannot read how often the kernel left a program out: %w", err)
		}

		skipped += stats.RecursionMisses
	}

	return skipped, nil
}

// Wake has Read return what there is, or fail with ErrWoken.
func (p *Probe) Wake() {
	// It fails only after Close, which also wakes Read.
	_ = p.ring.Flush()
}

// Close ends the watch. Nothing is left in the kernel.
func (p *Probe) Close() error {
	return errors.Join(p.unload(0), p.ring.Close(), p.udp.close(), p.executions.Close())
}
