package slabowner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

const (
	tick = 250 * time.Millisecond
	// eventCost is what an event costs that is not followed, in a kernel without mitigations some less.
	eventCost = 100 * time.Nanosecond
	// costAfter is how long a session runs before its cost is judged.
	costAfter = 2 * time.Second
	// crowded is how full the map may be before fewer addresses are followed.
	crowded = maxLive * 3 / 4
	// minThreshold follows one address in 65,536.
	minThreshold = 1 << 16
	maxAge       = 5 * time.Second
	ageShare     = 5
)

// session follows allocations from its start on.
type session struct {
	options   Options
	maps      kernelMaps
	programs  []*ebpf.Program
	links     []link.Link
	threshold uint32
	bulk      bool
	cut       string
	begun     time.Time
}

// start loads and attaches the programs. errors.Is tells a missing permission (fs.ErrPermission) from a kernel that cannot do it (fs.ErrNotExist).
func start(o Options) (*session, error) {
	kernel, err := findLayout()
	if err != nil {
		return nil, err
	}

	s := &session{options: o, threshold: uint32(math.MaxUint32 / uint64(o.OneIn))}
	if s.maps, err = newMaps(); err == nil {
		err = s.maps.setThreshold(s.threshold)
	}

	if err == nil {
		err = s.attach(assembler{layout: kernel, maps: &s.maps})
	}

	if err != nil {
		s.close()

		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
			err = errors.Join(fs.ErrPermission, err)
		}

		return nil, fmt.Errorf("cannot follow allocations: %w; it needs CAP_BPF and CAP_PERFMON", err)
	}

	s.begun = time.Now()

	return s, nil
}

func (s *session) attach(a assembler) error {
	freeings, err := s.load(a.freeings())
	if err != nil {
		return err
	}

	allocations, err := s.load(a.allocations())
	if err != nil {
		return err
	}

	mallocs, err := s.load(a.mallocs())
	if err != nil {
		return err
	}

	// Freeings first, so that none of what is followed is missed.
	for _, one := range []struct {
		tracepoint string
		program    *ebpf.Program
	}{{"kfree", freeings}, {"kmem_cache_free", freeings}, {"kmalloc", mallocs}, {"kmem_cache_alloc", allocations}} {
		attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: one.tracepoint, Program: one.program})
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

// run waits until the time is over, and sees to it that the map does not overflow and the host is not slowed down.
func (s *session) run(ctx context.Context) error {
	end := time.NewTimer(s.options.Duration)
	defer end.Stop()

	ticker := time.NewTicker(tick)
	defer ticker.Stop()

	for {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			s.cut = "it was told to end"

			return nil
		case <-ticker.C:
		}

		counted, err := s.maps.count()
		if err != nil {
			return fmt.Errorf("cannot read the counters: %w", err)
		}

		if cost := costPct(counted, time.Since(s.begun)); time.Since(s.begun) >= costAfter && cost > s.options.MaxCostPct {
			s.cut = fmt.Sprintf("it was ended after %.0f s, for it took %.1f %% of the processors, more than %.1f %%",
				time.Since(s.begun).Seconds(), cost, s.options.MaxCostPct)

			return nil
		}

		if err := s.thin(counted); err != nil {
			return err
		}
	}
}

// costPct estimates the share of all processors that the programs took.
func costPct(c counters, lasted time.Duration) float64 {
	return 100 * float64(c.Events) * float64(eventCost) / (float64(lasted) * float64(runtime.NumCPU()))
}

// thin follows half of the addresses from now on, and of those that are followed, where there are too many.
func (s *session) thin(c counters) error {
	for c.Followed-min(c.Followed, c.Freed+c.Replaced) > crowded && s.threshold > minThreshold {
		live := uint64(0)
		if err := s.maps.each(func(uint64, *entry) { live++ }); err != nil {
			return err
		}

		if live <= crowded {
			return nil
		}

		s.threshold /= 2
		if err := s.maps.setThreshold(s.threshold); err != nil {
			return fmt.Errorf("cannot follow fewer allocations: %w", err)
		}

		if err := s.maps.dropAbove(s.threshold); err != nil {
			return err
		}
	}

	return nil
}

// detach ends the programs' work; what they have found stays.
func (s *session) detach() {
	for _, attached := range s.links {
		_ = attached.Close()
	}

	for _, program := range s.programs {
		_ = program.Close()
	}

	s.links, s.programs = nil, nil
}

func (s *session) close() {
	s.detach()
	s.maps.close()
}

// scale is how many allocations each that is followed stands for.
func (s *session) scale() float64 { return math.MaxUint32 / float64(s.threshold) }

// found groups what is outstanding.
func (s *session) found() (*grouping, uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return nil, 0, err
	}

	at := uint64(now.Nano())
	young := uint64(min(maxAge, time.Since(s.begun)/ageShare))
	g := &grouping{scale: s.scale(), until: at - young, names: map[uint64]string{}, all: map[groupKey]*group{}}

	var (
		address uint64
		info    cacheInfo
	)

	iterator := s.maps.caches.Iterate()
	for iterator.Next(&address, &info) {
		name, _, _ := strings.Cut(string(info.Name[:]), "\x00")
		g.names[address] = name
	}

	if err := iterator.Err(); err != nil {
		return nil, 0, fmt.Errorf("cannot read the names of the caches: %w", err)
	}

	return g, at, s.maps.each(g.add)
}

// stack is that of an allocation, innermost first, without the frames of the tracing itself.
func (s *session) stack(id int32) []uint64 {
	var frames [maxFrames]uint64
	if err := s.maps.stacks.Lookup(uint32(id), &frames); err != nil {
		return nil
	}

	var all []uint64

	for _, frame := range frames {
		if frame != 0 {
			all = append(all, frame)
		}
	}

	return all
}
