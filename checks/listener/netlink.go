package listener

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// datagramSize is the largest that the kernel sends for a dump.
	datagramSize = 32 << 10
	// answerLimit is how long the kernel may take; it answers within the system call.
	answerLimit = 2 * time.Second
	attempts    = 3
)

// inquiry is a socket on which the kernel is asked about the sockets of one network namespace.
type inquiry struct {
	fd       int
	buffer   []byte
	sequence uint32
	names    map[uint32]string
}

// openInquiry opens it in the network namespace of the calling thread, where it stays. The caller must call close.
func openInquiry(ctx context.Context) (*inquiry, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("cannot open a sock_diag socket: %w", err)
	}

	q := &inquiry{fd: fd}

	limit := answerLimit
	if deadline, ok := ctx.Deadline(); ok {
		// No time at all would mean no limit.
		limit = max(min(limit, time.Until(deadline)), time.Millisecond)
	}

	timeout := unix.NsecToTimeval(limit.Nanoseconds())

	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &timeout),
		// So the kernel lets nobody but itself send to it.
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
	)
	if err != nil {
		q.close()

		return nil, fmt.Errorf("cannot set up a sock_diag socket: %w", err)
	}

	return q, nil
}

func (q *inquiry) close() { _ = unix.Close(q.fd) }

// list adds the sockets of the network to all; port 0 stands for all ports. After an error all is as it was.
func (q *inquiry) list(ctx context.Context, network Network, port uint16, all *collection) error {
	before := *all

	for range attempts {
		interrupted, err := q.listOnce(ctx, network, port, all)
		if err == nil && !interrupted {
			q.nameInterfaces(all.sockets[len(before.sockets):])

			return nil
		}

		*all = before

		if err != nil {
			return err
		}
	}

	return errInterrupted
}

func (q *inquiry) listOnce(ctx context.Context, network Network, port uint16, all *collection) (interrupted bool, err error) {
	if network == TCP {
		q.sequence++

		return q.ask(ctx, bothRequest(q.sequence, port), &answer{sequence: q.sequence, network: TCP, sockets: all})
	}

	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		q.sequence++

		again, err := q.ask(ctx, familyRequest(q.sequence, family, port), &answer{sequence: q.sequence, network: UDP, sockets: all})
		if err != nil {
			return false, err
		}

		interrupted = interrupted || again
	}

	return interrupted, nil
}

func (q *inquiry) ask(ctx context.Context, request []byte, a *answer) (interrupted bool, err error) {
	if q.buffer == nil {
		q.buffer = make([]byte, datagramSize)
	}

	if _, err := unix.Write(q.fd, request); err != nil {
		return false, fmt.Errorf("cannot ask sock_diag: %w", err)
	}

	for {
		if err := ctx.Err(); err != nil {
			return false, fmt.Errorf("cannot list the sockets in time: %w", err)
		}

		// MSG_TRUNC has the kernel tell the whole length.
		n, _, err := unix.Recvfrom(q.fd, q.buffer, unix.MSG_TRUNC)

		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, fmt.Errorf("cannot read the answer of sock_diag: %w", err)
		case n > len(q.buffer):
			return false, fmt.Errorf("cannot read the answer of sock_diag: it has %d bytes, more than %d", n, len(q.buffer))
		}

		if done, err := a.parse(q.buffer[:n]); done || err != nil {
			return a.interrupted, err
		}
	}
}

// nameInterfaces asks for the names in the socket's own network namespace (SIOCGIFNAME of netdevice(7)).
func (q *inquiry) nameInterfaces(sockets []Socket) {
	for i := range sockets {
		index := sockets[i].InterfaceIndex
		if index == 0 {
			continue
		}

		name, known := q.names[index]
		if !known {
			if q.names == nil {
				q.names = make(map[uint32]string)
			}

			name = q.interfaceName(index)
			q.names[index] = name
		}

		sockets[i].Interface = name
	}
}

func (q *inquiry) interfaceName(index uint32) string {
	request, err := unix.NewIfreq("?")
	if err != nil {
		return ""
	}

	request.SetUint32(index)

	if err := unix.IoctlIfreq(q.fd, unix.SIOCGIFNAME, request); err != nil {
		return ""
	}

	return request.Name()
}
