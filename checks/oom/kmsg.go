package oom

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// recordSize holds any record: the kernel makes none longer than 8 KB.
	recordSize = 16 << 10
	// maxRecords and maxReadTime bound one call of drain. The next call goes on.
	maxRecords  = 1 << 16
	maxReadTime = 250 * time.Millisecond
	// recordsPerCheck is how often the time is looked at.
	recordsPerCheck = 256
)

var (
	// errEnd is a log without further records for now.
	errEnd = errors.New("no further record")
	// errOverrun means that the kernel wrote over records before they were read. Reading goes on with the oldest left.
	errOverrun = errors.New("records were overwritten")
	// errBehind is a log so long that reading it all would keep the caller waiting.
	errBehind = errors.New("cannot list all victims yet: the kernel log is long, the next poll reads on")
)

// kernelLog yields raw records one by one without blocking, then errEnd; later there may be more.
type kernelLog interface {
	read(buffer []byte) (int, error)
	close()
}

// device is /dev/kmsg. It goes by the bare descriptor because the runtime's poller would make reads wait.
type device struct {
	fd int
}

func openDevice(path string) (kernelLog, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)

		switch {
		case err == nil:
			return &device{fd: fd}, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EPERM):
			return nil, fmt.Errorf("cannot read %s: %w; set sysctl kernel.dmesg_restrict=0 or grant CAP_SYSLOG", path, err)
		case errors.Is(err, fs.ErrPermission):
			return nil, fmt.Errorf("cannot read %s: %w; make it readable for this user or grant CAP_DAC_READ_SEARCH",
				path, err)
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("cannot read %s: %w; a container must be given this device", path, err)
		default:
			return nil, fmt.Errorf("cannot read %s: %w", path, err)
		}
	}
}

func (d *device) read(buffer []byte) (int, error) {
	for {
		n, err := unix.Read(d.fd, buffer)

		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0:
			return 0, errEnd
		// EINVAL is a record larger than the buffer; the kernel has passed over it.
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINVAL):
			return 0, errOverrun
		case err != nil:
			return 0, fmt.Errorf("cannot read the kernel log: %w", err)
		default:
			return n, nil
		}
	}
}

func (d *device) close() { _ = unix.Close(d.fd) }

// drain hands all records that are there to take. It returns errBehind where it left some for the next call.
func drain(log kernelLog, buffer []byte, take func(record)) error {
	start := time.Now()

	for i := range maxRecords {
		if i%recordsPerCheck == recordsPerCheck-1 && time.Since(start) > maxReadTime {
			return errBehind
		}

		n, err := log.read(buffer)

		switch {
		case errors.Is(err, errEnd):
			return nil
		case errors.Is(err, errOverrun):
			continue
		case err != nil:
			return err
		}

		if r, ok := parseRecord(buffer[:n]); ok {
			take(r)
		}
	}

	return errBehind
}
