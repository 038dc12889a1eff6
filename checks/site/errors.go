package site

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
)

func isAny(err error, numbers ...syscall.Errno) bool {
	var number syscall.Errno

	return errors.As(err, &number) && slices.Contains(numbers, number)
}

// isLocal tells that this host lacks descriptors, memory, ports, the source address or a version of IP, or forbids its
// processes to connect (a filter of the unit's cgroup gives EPERM). Without ports UDP gets EAGAIN where TCP gets
// EADDRNOTAVAIL.
func isLocal(err error) bool {
	return isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL,
		syscall.EADDRINUSE, syscall.EAFNOSUPPORT, syscall.EPERM, syscall.EAGAIN)
}

func isPanic(err error) bool {
	var fault *panicError

	return errors.As(err, &fault)
}

func isReset(err error) bool {
	return isAny(err, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED)
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func isTimeout(err error) bool {
	var timed net.Error

	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timed) && timed.Timeout()
}
