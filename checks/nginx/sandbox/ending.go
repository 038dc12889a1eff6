package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// killAll kills the test's process group, and all that were seen. A pidfd names no other process, however old it is.
func (j *judge) killAll() {
	// The test is not reaped yet, so that its number is its own. An empty group is no error.
	_ = unix.Kill(-j.main, unix.SIGKILL)
	for _, pidfd := range j.processes {
		_ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	}
}

// reap waits for the test, which has ended or was killed.
func (j *judge) reap(result *Result) (status unix.WaitStatus, err error) {
	var usage, own unix.Rusage
	for {
		_, err = unix.Wait4(j.main, &status, 0, &usage)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return status, fmt.Errorf("cannot learn how the configuration test ended: %w; let nobody else wait for this process's children", err)
	}
	result.CPUS = seconds(usage.Utime) + seconds(usage.Stime)
	// Until it ran its program it was in this process's memory, which counts.
	const unit = 1 << 10
	if unix.Getrusage(unix.RUSAGE_SELF, &own) == nil && usage.Maxrss > own.Maxrss {
		result.MaxRSSBytes = max(result.MaxRSSBytes, uint64(usage.Maxrss)*unit)
	}
	return status, nil
}

func seconds(t unix.Timeval) float64 {
	return (time.Duration(t.Sec)*time.Second + time.Duration(t.Usec)*time.Microsecond).Seconds()
}

// complete tells how the test ended.
func complete(result *Result, status unix.WaitStatus) {
	result.ExitCode = status.ExitStatus()
	if status.Signaled() {
		result.Signal = unix.SignalName(status.Signal())
	}
}

// sampler looks at a test's memory when it says something: most of it is held then.
type sampler struct{ taken int }

// sample reads the most memory that the test has held so far (VmHWM, proc_pid_status(5)).
func (s *sampler) sample(j *judge, result *Result) {
	const (
		enough = 8
		unit   = 1 << 10
	)
	if s.taken++; s.taken > enough {
		return
	}
	value, ok := j.statusLine(strconv.Itoa(j.main), "VmHWM:")
	if size, err := strconv.ParseUint(strings.TrimSuffix(value, " kB"), 10, 64); ok && err == nil {
		result.MaxRSSBytes = max(result.MaxRSSBytes, size*unit)
	}
}
