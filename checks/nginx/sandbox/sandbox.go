package sandbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Sandbox runs configuration tests. Its methods may be called from any goroutine.
type Sandbox struct {
	mu        sync.Mutex
	available []Availability
}

// New makes a sandbox. Which techniques work is found out by trying them, with the first test or question.
func New() *Sandbox { return &Sandbox{} }

// turn is held by the one test of this process.
var turn = make(chan struct{}, 1)

// killLimit is how long a killed test may take to end. One that hangs in the kernel may not.
const killLimit = 10 * time.Second

// ErrStuck is a test that was killed and does not end, such as in a file system that does not answer. No other test starts before it has.
var ErrStuck = errors.New("cannot end a configuration test: it hangs in the kernel; look for a file system that does not answer")

// unusableError is that a technique did not work, and changed nothing.
type unusableError struct{ err error }

func (e *unusableError) Error() string { return e.err.Error() }

// Test runs nginx -t. One test runs in this process at a time; others wait until ctx ends. When ctx ends in the test, the test is killed and the
// error is ctx's. An *UnsafeError tells that no test was made as none would leave the host as it is.
func (s *Sandbox) Test(ctx context.Context, command Command) (*Result, error) {
	if err := command.check(); err != nil {
		return nil, err
	}
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("cannot test the configuration: another test runs: %w", ctx.Err())
	}
	return s.await(ctx, command, func() { <-turn })
}

// Version runs nginx -V, which takes no turn: nothing else is as short. Of the command, only the program, its surroundings and the limits count.
func (s *Sandbox) Version(ctx context.Context, command Command) (*Result, error) {
	command.Args, command.Bare, command.question = nil, nil, "-V"
	if err := command.check(); err != nil {
		return nil, err
	}
	return s.await(ctx, command, func() {})
}

// await runs a test and calls done when it has ended. It returns before only where the test hangs in the kernel.
func (s *Sandbox) await(ctx context.Context, command Command, done func()) (*Result, error) {
	type outcome struct {
		result *Result
		err    error
	}
	ended := make(chan outcome, 1)
	go func() {
		defer done()
		result, err := s.test(ctx, command)
		ended <- outcome{result, err}
	}()
	stuck := time.NewTimer(command.timeout() + killLimit)
	defer stuck.Stop()
	select {
	case o := <-ended:
		return o.result, o.err
	case <-stuck.C:
		return nil, ErrStuck
	case <-ctx.Done():
	}
	stuck.Reset(killLimit)
	select {
	case o := <-ended:
		return o.result, o.err
	case <-stuck.C:
		return nil, ErrStuck
	}
}

func (s *Sandbox) test(ctx context.Context, command Command) (*Result, error) {
	keepInherited()
	for _, technique := range s.Techniques() {
		if !technique.Works {
			continue
		}
		result, err := conduct(ctx, command, engines[technique.Technique])
		unusable, ok := errors.AsType[*unusableError](err)
		if !ok {
			return result, err
		}
		s.disable(technique.Technique, unusable.Error())
	}
	if refusal := command.Bare.refusal(); refusal != "" {
		return nil, &UnsafeError{Techniques: s.Techniques(), Bare: refusal}
	}
	return conduct(ctx, command, testBare)
}

// engine makes a test by one technique. It is cancelled where nobody waits for it any more.
type engine func(command Command, surroundings *surroundings, streams *streams, begun time.Time) (result *Result, cancelled bool, err error)

// engines are the techniques in the order in which they are preferred.
var engines = map[Technique]engine{
	TechniqueNotify: testNotify,
	TechniqueTrace:  testTrace,
}

// conduct opens what a test needs, and tells how long it took.
func conduct(ctx context.Context, command Command, test engine) (*Result, error) {
	surroundings, err := openSurroundings(command)
	if err != nil {
		return nil, err
	}
	defer surroundings.close()
	streams, err := openStreams(ctx)
	if err != nil {
		return nil, err
	}
	defer streams.close()
	begun := time.Now()
	result, cancelled, err := test(command, &surroundings, streams, begun)
	if err != nil {
		return nil, err
	}
	result.DurationS = time.Since(begun).Seconds()
	if cancelled {
		return nil, fmt.Errorf("cannot finish the configuration test: %w", context.Cause(ctx))
	}
	return result, nil
}

// Techniques tells which techniques work here, in the order in which they are used.
func (s *Sandbox) Techniques() []Availability {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.available == nil {
		s.available = []Availability{probe(TechniqueNotify, probeNotify), probe(TechniqueTrace, probeTrace)}
	}
	return append([]Availability(nil), s.available...)
}

func probe(technique Technique, try func() error) Availability {
	if err := try(); err != nil {
		return Availability{Technique: technique, Why: err.Error()}
	}
	return Availability{Technique: technique, Works: true}
}

// disable remembers that a technique does not work after all.
func (s *Sandbox) disable(technique Technique, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.available {
		if s.available[i].Technique == technique {
			s.available[i].Works, s.available[i].Why = false, why
		}
	}
}
