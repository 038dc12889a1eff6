package slabowner

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// traced is a program and the tracepoint at which it is run.
type traced struct {
	tracepoint string
	program    *ebpf.ProgramSpec
}

// all begin with freeings, so that none of what is followed is missed.
func (a assembler) all() []traced {
	return []traced{{"kfree", a.kfrees()}, {"kmem_cache_free", a.freeings()}, {"kmalloc", a.mallocs()}, {"kmem_cache_alloc", a.allocations()}}
}

// attach has the kernel run the programs from now on.
func (s *session) attach(a assembler) error {
	for _, one := range a.all() {
		program, err := s.load(one.program)
		if err != nil {
			return err
		}

		attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: one.tracepoint, Program: program})
		if err != nil {
			return fmt.Errorf("tracepoint %s: %w", one.tracepoint, err)
		}

		s.links = append(s.links, attached)
	}

	s.attachBulk(a)

	return nil
}

// attachBulk makes the result better where the kernel lets it.
func (s *session) attachBulk(a assembler) {
	bulk, err := s.load(a.bulkFreeings())
	if err != nil {
		return
	}

	attached, err := link.AttachTracing(link.TracingOptions{Program: bulk})
	if err != nil {
		return
	}

	s.links, s.bulk = append(s.links, attached), true
}

func (s *session) load(spec *ebpf.ProgramSpec) (*ebpf.Program, error) {
	program, err := ebpf.NewProgram(spec)
	if err != nil {
		return nil, fmt.Errorf("program %s: %w", spec.Name, err)
	}

	s.programs = append(s.programs, program)

	return program, nil
}
