package apart

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// RaiseInterfaces brings up all interfaces of the process's own network: loopback, and what AddInterface has made.
func RaiseInterfaces() error {
	all, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("cannot list the interfaces: %w; try again", err)
	}

	for _, one := range all {
		// struct ifinfomsg: family, padding, type, index, flags, which flags to change.
		header := binary.NativeEndian.AppendUint32([]byte{0, 0, 0, 0}, uint32(one.Index))
		header = binary.NativeEndian.AppendUint32(header, unix.IFF_UP)
		header = binary.NativeEndian.AppendUint32(header, unix.IFF_UP)

		if err := request(unix.RTM_NEWLINK, 0, header); err != nil {
			return fmt.Errorf("cannot bring up %s: %w; do it in a network of the process's own", one.Name, err)
		}
	}

	return nil
}

// AddInterface makes an interface with addresses in the process's own network and brings it up. It is one end of a cable
// (veth(4)) at whose other end nobody answers: what is sent to a neighbor is lost, as to a host that is switched off.
func AddInterface(name string, addresses ...netip.Prefix) error {
	header := make([]byte, unix.SizeofIfInfomsg)
	kind := attribute(unix.IFLA_INFO_KIND, []byte("veth"))

	err := request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, header,
		attribute(unix.IFLA_IFNAME, append([]byte(name), 0)), attribute(unix.IFLA_LINKINFO, kind))
	if err != nil {
		return fmt.Errorf("cannot make the interface %s: %w; load the kernel module veth", name, err)
	}

	made, err := net.InterfaceByName(name)
	if err != nil {
		return fmt.Errorf("cannot find the interface %s: %w; try again", name, err)
	}

	for _, address := range addresses {
		if err := addAddress(made.Index, address); err != nil {
			return fmt.Errorf("cannot give %s the address %s: %w; switch its version of IP on", name, address, err)
		}
	}

	return RaiseInterfaces()
}

// addAddress gives an address that may be used at once, without a look for others that have it.
func addAddress(index int, address netip.Prefix) error {
	family := byte(unix.AF_INET)
	if address.Addr().Is6() {
		family = unix.AF_INET6
	}

	// struct ifaddrmsg: family, length of the prefix, flags, scope, index.
	header := binary.NativeEndian.AppendUint32([]byte{family, byte(address.Bits()), unix.IFA_F_NODAD, unix.RT_SCOPE_UNIVERSE}, uint32(index))
	bytes := address.Addr().AsSlice()

	return request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, header,
		attribute(unix.IFA_LOCAL, bytes), attribute(unix.IFA_ADDRESS, bytes))
}

// attribute is a struct rtattr with its value (rtnetlink(7)).
func attribute(kind uint16, value []byte) []byte {
	raw := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(value)))
	raw = binary.NativeEndian.AppendUint16(raw, kind)
	raw = append(raw, value...)

	return append(raw, make([]byte, -len(raw)&(unix.RTA_ALIGNTO-1))...)
}

// request sends one message to the kernel's rtnetlink and returns what the kernel says to it.
func request(kind, flags uint16, parts ...[]byte) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(socket)

	body := slices.Concat(parts...)
	// struct nlmsghdr: length, type, flags, number, sender.
	message := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = binary.NativeEndian.AppendUint16(message, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	message = append(message, make([]byte, 8)...)

	if err := unix.Sendto(socket, append(message, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}

	answer := make([]byte, 4096)

	n, _, err := unix.Recvfrom(socket, answer, 0)
	if err != nil {
		return err
	}

	if n < unix.SizeofNlMsghdr+4 {
		return unix.EBADMSG
	}

	// struct nlmsgerr begins with the negative number of the error, 0 where all is well.
	if number := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); number != 0 {
		return unix.Errno(-number)
	}

	return nil
}
