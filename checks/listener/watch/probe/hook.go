package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// hook is a program, and what has the kernel run it.
type hook struct {
	spec    *ebpf.ProgramSpec
	connect func(*ebpf.Program) (link.Link, error)
}

// loaded is a program in the kernel.
type loaded struct {
	program *ebpf.Program
	connect func(*ebpf.Program) (link.Link, error)
	// link is nil while the program is not run.
	link link.Link
}

// attach has the program be run.
func (l *loaded) attach() (err error) {
	if l.link == nil {
		l.link, err = l.connect(l.program)
	}

	return err
}

func (l *loaded) detach() (err error) {
	if l.link != nil {
		err = l.link.Close()
		l.link = nil
	}

	return err
}

// run loads a program and has it be run.
func (p *Probe) run(h hook) error {
	l, err := p.load(h)
	if err != nil {
		return err
	}

	return l.attach()
}

func (p *Probe) load(h hook) (*loaded, error) {
	// The kernel lends its helpers only to programs that say so.
	h.spec.License = "GPL"

	program, err := ebpf.NewProgram(h.spec)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.spec.Name, err)
	}

	l := &loaded{program: program, connect: h.connect}
	p.loaded = append(p.loaded, l)

	return l, nil
}

// traced connects a program to the tracepoint or the function that its specification names.
func traced(program *ebpf.Program) (link.Link, error) {
	return link.AttachTracing(link.TracingOptions{Program: program})
}

// unload keeps the first of what is loaded.
func (p *Probe) unload(kept int) (all error) {
	for _, l := range p.loaded[kept:] {
		all = errors.Join(all, l.detach(), l.program.Close())
	}

	p.loaded = p.loaded[:kept]

	return all
}
