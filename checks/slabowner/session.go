package slabowner

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

const (
	tick = 250 * time.Millisecond
	// eventCost is what an event costs that is not followed, and followCost what it costs more to note one, with its stack where that is walked. They
	// are above what was measured on a busy virtual machine: 30 to 50 ns, and 0.2 to 1.7 µs.
	eventCost  = 60 * time.Nanosecond
	followCost = 2 * time.Microsecond
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
	kernel    layout
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
	s, err := prepare(o)
	if err != nil {
		return nil, err
	}

	if err := s.attach(s.assembler()); err != nil {
		s.close()

		return nil, explain(err)
	}

	// The kernel's types are not needed any more. They take as much memory as the session.
	debug.FreeOSMemory()

	s.begun = time.Now()

	return s, nil
}

// prepare makes what the programs need.
func prepare(o Options) (*session, error) {
	kernel, err := findLayout()
	if err != nil {
		return nil, err
	}

	s := &session{options: o, kernel: kernel, threshold: uint32(math.MaxUint32 / uint64(o.OneIn))}
	if s.maps, err = newMaps(); err == nil {
		err = s.maps.setThreshold(s.threshold)
	}

	if err != nil {
		s.close()

		return nil, explain(err)
	}

	return s, nil
}

// try loads the programs and has none be run: a session could be made where it does not fail.
func try(o Options) error {
	s, err := prepare(o)
	if err != nil {
		return err
	}

	defer debug.FreeOSMemory()
	defer s.close()

	for _, one := range s.assembler().all() {
		if _, err := s.load(one.program); err != nil {
			return explain(err)
		}
	}

	return nil
}

func (s *session) assembler() assembler { return assembler{layout: s.kernel, maps: &s.maps} }

// run waits until the time is over, and sees to it that the map does not overflow and the host is not slowed down.
func (s *session) run(ctx context.Context, duration time.Duration) error {
	end := time.NewTimer(duration)
	defer end.Stop()

	ticker := time.NewTicker(tick)
	defer ticker.Stop()

	for {
		select {
		case <-end.C:
			return nil
		case <-ctx.Done():
			s.cut = "the session was told to end early"

			return nil
		case <-ticker.C:
		}

		counted, err := s.maps.count()
		if err != nil {
			return fmt.Errorf("cannot read the counters: %w", err)
		}

		if s.tooDear(counted, time.Since(s.begun)) {
			return nil
		}

		if err := s.thin(counted); err != nil {
			return err
		}
	}
}

// tooDear tells that the session must end, for the sake of the host.
func (s *session) tooDear(c counters, lasted time.Duration) bool {
	cost := costPct(c, lasted)
	if lasted < costAfter || cost <= s.options.MaxCostPct {
		return false
	}

	s.cut = fmt.Sprintf("the session was ended after %.0f s, for it took %.1f %% of the processors, more than %.1f %%", lasted.Seconds(), cost, s.options.MaxCostPct)

	return true
}

// costPct estimates the share of all processors that the programs took.
func costPct(c counters, lasted time.Duration) float64 {
	spent := float64(c.Events)*float64(eventCost) + float64(c.Followed)*float64(followCost)

	return 100 * spent / (float64(lasted) * float64(runtime.NumCPU()))
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

		if err := s.maps.dropAbove(s.threshold, s.kernel.largest); err != nil {
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
