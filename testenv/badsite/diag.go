package badsite

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// Sizes and offsets of struct inet_diag_req_v2 and struct inet_diag_msg (sock_diag(7)).
	diagRequestSize = 56
	diagMessageSize = 72
	diagFromOffset  = 8
	diagQueueOffset = 56
	diagInodeOffset = 68

	established = 1
)

// robbed counts the established connections to an address that have unread bytes and that nobody has accepted. The kernel
// picks them out: /proc/net/tcp takes a second where a benchmark has left a hundred thousand connections in TIME_WAIT.
func robbed(address [4]byte, port int) (int, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, fmt.Errorf("cannot ask for connections: %w; allow more open files", err)
	}
	defer func() { _ = unix.Close(socket) }()
	if err := unix.Sendto(socket, diagRequest(port), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("cannot ask for connections: %w; load the kernel module tcp_diag", err)
	}
	count, buffer := 0, make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(socket, buffer, 0)
		if err != nil {
			return 0, fmt.Errorf("cannot read which connections there are: %w; try again", err)
		}
		caught, last, err := catches(buffer[:n], address)
		if err != nil {
			return 0, fmt.Errorf("cannot read which connections there are: %w; load the kernel module tcp_diag", err)
		}
		count += caught
		if last {
			return count, nil
		}
	}
}

// diagRequest asks for all established connections of IPv4 to a port of this host.
func diagRequest(port int) []byte {
	request := binary.NativeEndian.AppendUint32(nil, unix.SizeofNlMsghdr+diagRequestSize)
	request = binary.NativeEndian.AppendUint16(request, unix.SOCK_DIAG_BY_FAMILY)
	request = binary.NativeEndian.AppendUint16(request, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request = append(request, make([]byte, 8)...)
	request = append(request, unix.AF_INET, unix.IPPROTO_TCP, 0, 0)
	request = binary.NativeEndian.AppendUint32(request, 1<<established)
	request = binary.BigEndian.AppendUint16(request, uint16(port))
	return append(request, make([]byte, unix.SizeofNlMsghdr+diagRequestSize-len(request))...)
}

// catches counts in the kernel's messages those of connections to an address with unread bytes and without an inode, and
// tells whether no more are to come.
func catches(messages []byte, address [4]byte) (count int, last bool, err error) {
	parsed, err := syscall.ParseNetlinkMessage(messages)
	if err != nil {
		return 0, false, err
	}
	for _, message := range parsed {
		switch {
		case message.Header.Type == unix.NLMSG_DONE:
			return count, true, nil
		case message.Header.Type == unix.NLMSG_ERROR && len(message.Data) >= 4:
			return 0, false, unix.Errno(-int32(binary.NativeEndian.Uint32(message.Data)))
		case len(message.Data) < diagMessageSize:
			return 0, false, unix.EBADMSG
		}
		data := message.Data
		unread := binary.NativeEndian.Uint32(data[diagQueueOffset:])
		inode := binary.NativeEndian.Uint32(data[diagInodeOffset:])
		if [4]byte(data[diagFromOffset:]) == address && unread > 0 && inode == 0 {
			count++
		}
	}
	return count, false, nil
}
