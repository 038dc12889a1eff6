package load

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// outcome is how one request ended.
type outcome int

const (
	answered outcome = iota
	// refused: nobody listened.
	refused
	// resetInConnect: the listener went while the connection was made.
	resetInConnect
	// reset: the connection was made and then broken.
	reset
	// empty: the connection was closed without an answer.
	empty
	timedOut
	other
	outcomes
)

func atConnect(err error) outcome {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	case errors.Is(err, syscall.ECONNRESET):
		return resetInConnect
	}
	return otherwise(err)
}

func atRequest(length int64, err error) outcome {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	case err != nil:
		return otherwise(err)
	case length == 0:
		return empty
	}
	return answered
}

func otherwise(err error) outcome {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
		return timedOut
	}
	return other
}

// Report is what clients met. Each request is counted once.
type Report struct {
	// Requests are all of them.
	Requests int64
	// Answered requests got at least one byte and an orderly end.
	Answered int64
	// Refused ones found nobody who listens.
	Refused int64
	// ResetsInConnect and Resets are connections that were broken while and after they were made.
	ResetsInConnect, Resets int64
	// Empty ones were closed without an answer.
	Empty int64
	// TimedOut ones waited for 10 s.
	TimedOut int64
	// Other ones failed for reasons of the clients' own; FirstOther is the first.
	Other      int64
	FirstOther string
	// P50, P99 and Max are of the time that requests took which were not refused.
	P50, P99, Max time.Duration
	// Duration is from the start to the end of the last client; 0 while they are at work.
	Duration time.Duration
}

// Connected is how many requests found somebody who listened.
func (r Report) Connected() int64 {
	return r.Answered + r.ResetsInConnect + r.Resets + r.Empty + r.TimedOut
}

// Lost is how many requests somebody took and did not answer.
func (r Report) Lost() int64 { return r.Connected() - r.Answered }

// String is the report on one line.
func (r Report) String() string {
	return fmt.Sprintf("%d requests in %s: %d answered, %d refused, %d reset (%d in connect), %d empty, %d timed out, %d other %q; p50 %s, p99 %s, max %s",
		r.Requests, r.Duration.Round(time.Millisecond), r.Answered, r.Refused, r.Resets+r.ResetsInConnect, r.ResetsInConnect, r.Empty, r.TimedOut,
		r.Other, r.FirstOther, r.P50, r.P99, r.Max)
}

const (
	longest = int64(2*timeLimit/time.Microsecond) * 2
	digits  = 2
)

// counts collects outcomes of many clients.
type counts struct {
	mu         sync.Mutex
	of         [outcomes]int64
	firstOther string
	// took is in microseconds.
	took *hdr.Histogram
}

func newCounts() *counts { return &counts{took: hdr.New(1, longest, digits)} }

func (c *counts) add(o outcome, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[o]++
	if o == other && c.firstOther == "" {
		c.firstOther = err.Error()
	}
	if o != refused {
		// Nothing lasts longer than two time limits, so it has room.
		_ = c.took.RecordValue(min(longest, took.Microseconds()))
	}
}

func (c *counts) report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Answered: c.of[answered], Refused: c.of[refused], ResetsInConnect: c.of[resetInConnect], Resets: c.of[reset],
		Empty: c.of[empty], TimedOut: c.of[timedOut], Other: c.of[other], FirstOther: c.firstOther,
		P50: micros(c.took.ValueAtQuantile(50)), P99: micros(c.took.ValueAtQuantile(99)), Max: micros(c.took.Max()),
	}
	for _, number := range c.of {
		r.Requests += number
	}
	return r
}

func micros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
