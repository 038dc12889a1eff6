package site

import (
	"fmt"
	"path"
	"runtime"
	"strings"
	"time"
)

// panicError is a fault of this program that was met while it probed.
type panicError struct{ text string }

func (e *panicError) Error() string { return e.text }

// guarded makes an error of a panic. In a goroutine of its own nothing else would stop one, and the process would end with
// the counters of all sites.
func guarded[T any](do func() (T, error)) (result T, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &panicError{fmt.Sprintf("panic in %s: %v", panicked(), cause)}
		}
	}()

	return do()
}

// panicked names the function and line that a recovered panic began at. Only a deferred function may ask.
func panicked() string {
	const enough = 32

	counters := make([]uintptr, enough)
	frames := runtime.CallersFrames(counters[:runtime.Callers(1, counters)])
	begun := false

	for {
		frame, more := frames.Next()
		inRuntime := strings.HasPrefix(frame.Function, "runtime.")

		if begun && !inRuntime {
			return fmt.Sprintf("%s, line %d", path.Base(frame.Function), frame.Line)
		}

		begun = begun || frame.Function == "runtime.gopanic"

		if !more {
			return "an unknown place"
		}
	}
}

// notMade is the result of a probe that this program could not make. It says nothing about the site.
func notMade(start time.Time, took time.Duration, sentence string) *Result {
	result := &Result{
		At: start.Unix(), Reason: ReasonLocalError, ReasonName: ReasonLocalError.String(), Phase: phaseOther.String(),
		Sentence: capText(sentence, textLimit),
	}
	result.Phases, result.TotalS = new(spent).phases(took)

	return result
}
