package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// MaxPorts is how many UDP ports SetPorts takes.
const MaxPorts = 1024

// maxBound bounds how many UDP sockets are followed to their end.
const maxBound = 4096

// Where struct bpf_sock has what the programs for UDP are given (linux/bpf.h).
const (
	sockFamily   = 4
	sockProtocol = 12
	sockAddress4 = 24
	sockAddress6 = 28
	sockPort     = 44
)

// datagrams are the maps of the programs for UDP.
type datagrams struct {
	// ports are those on which sockets are told of, bound the cookies of the sockets whose end is to be told.
	ports, bound *ebpf.Map
}

// WatchUDP also tells of UDP sockets that are bound to one of the ports that SetPorts names. No tracepoint tells of them,
// so this asks to be called at each bind(2) and at the end of each socket of the processes below a cgroup of version 2,
// which is the root of all. It fails with fs.ErrPermission without CAP_NET_ADMIN.
func (p *Probe) WatchUDP(cgroup string) error {
	before := len(p.attached)

	if err := p.watchUDP(cgroup); err != nil {
		return errors.Join(explain("UDP sockets", err, rightsForUDP), p.detach(before))
	}

	return nil
}

// FollowUDP has the end of sockets told that were bound before, by their cookies.
func (p *Probe) FollowUDP(cookies []uint64) error {
	for _, cookie := range cookies {
		if err := p.udp.bound.Put(cookie, uint8(1)); err != nil {
			return fmt.Errorf("cannot follow a UDP socket: %w", err)
		}
	}

	return nil
}

func (p *Probe) watchUDP(cgroup string) (err error) {
	p.udp.ports, err = ebpf.NewMap(&ebpf.MapSpec{Name: "listen_ports", Type: ebpf.Hash, KeySize: 4, ValueSize: 1, MaxEntries: MaxPorts})
	if err != nil {
		return err
	}

	// The oldest goes where there are too many, and its end is not told.
	p.udp.bound, err = ebpf.NewMap(&ebpf.MapSpec{Name: "listen_bound", Type: ebpf.LRUHash, KeySize: 8, ValueSize: 1, MaxEntries: maxBound})
	if err != nil {
		return err
	}

	for _, one := range []struct {
		name    string
		at      ebpf.AttachType
		program asm.Instructions
	}{
		{"listen_bind4", ebpf.AttachCGroupInet4PostBind, p.program().binding(sockAddress4, 4)},
		{"listen_bind6", ebpf.AttachCGroupInet6PostBind, p.program().binding(sockAddress6, 16)},
		{"listen_release", ebpf.AttachCgroupInetSockRelease, p.program().releasing()},
	} {
		spec := &ebpf.ProgramSpec{Name: one.name, Type: ebpf.CGroupSock, AttachType: one.at, Instructions: one.program}

		err = p.attach(spec, func(loaded *ebpf.Program) (link.Link, error) {
			return link.AttachCgroup(link.CgroupOptions{Path: cgroup, Attach: one.at, Program: loaded})
		})
		if err != nil {
			return err
		}
	}

	return nil
}

// SetPorts names the UDP ports of interest from now on.
func (p *Probe) SetPorts(ports map[uint16]struct{}) error {
	if len(ports) > MaxPorts {
		return fmt.Errorf("cannot watch %d UDP ports: there is room for %d", len(ports), MaxPorts)
	}

	var old []uint32

	var port uint32

	var value uint8

	for all := p.udp.ports.Iterate(); all.Next(&port, &value); {
		if _, stays := ports[uint16(port)]; !stays {
			old = append(old, port)
		}
	}

	for _, port := range old {
		if err := p.udp.ports.Delete(port); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("cannot forget UDP port %d: %w", port, err)
		}
	}

	for port := range ports {
		if err := p.udp.ports.Put(uint32(port), uint8(1)); err != nil {
			return fmt.Errorf("cannot watch UDP port %d: %w", port, err)
		}
	}

	return nil
}

// allow is what the kernel is answered: go on.
const allow = 1

// binding is run after each bind(2).
func (p *program) binding(address int16, size int32) asm.Instructions {
	p.onlyUDP()
	p.add(
		asm.LoadMem(asm.R1, ctx, sockPort, asm.Word),
		asm.StoreMem(asm.RFP, keyOnStack, asm.R1, asm.Word),
	)
	p.lookUp(p.udp.ports)
	p.add(
		asm.Mov.Reg(asm.R1, ctx),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(asm.RFP, keyOnStack, asm.R0, asm.DWord),
		asm.StoreImm(asm.RFP, onStack, 1, asm.Word),
		asm.LoadMapPtr(asm.R1, p.udp.bound.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyOnStack),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, onStack),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
	)
	p.reserve(openedSize)
	p.udpSocket(Opened)
	p.ownNamespace()
	p.add(
		asm.LoadMem(asm.R1, ctx, sockFamily, asm.Word),
		asm.StoreMem(record, atFamily, asm.R1, asm.Half),
		asm.LoadMem(asm.R1, ctx, sockPort, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(record, atPort, asm.R1, asm.Half),
	)

	for word := int16(0); word < int16(size); word += 4 {
		p.add(
			asm.LoadMem(asm.R1, ctx, address+word, asm.Word),
			asm.StoreMem(record, atAddress+word, asm.R1, asm.Word),
		)
	}

	p.opener()
	p.submit()
	p.end(allow)

	return p.Instructions
}

// releasing is run at the end of each socket.
func (p *program) releasing() asm.Instructions {
	p.onlyUDP()
	p.add(
		asm.Mov.Reg(asm.R1, ctx),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(asm.RFP, keyOnStack, asm.R0, asm.DWord),
	)
	p.lookUp(p.udp.bound)
	p.add(
		asm.LoadMapPtr(asm.R1, p.udp.bound.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyOnStack),
		asm.FnMapDeleteElem.Call(),
	)
	p.reserve(closedSize)
	p.udpSocket(Closed)
	p.submit()
	p.end(allow)

	return p.Instructions
}

func (p *program) onlyUDP() {
	p.add(
		asm.Mov.Reg(ctx, asm.R1),
		asm.LoadMem(asm.R1, ctx, sockProtocol, asm.Word),
		asm.JNE.Imm(asm.R1, protocolUDP, "out"),
	)
}

// lookUp goes out where the map has not the key on the stack.
func (p *program) lookUp(in *ebpf.Map) {
	p.add(
		asm.LoadMapPtr(asm.R1, in.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, keyOnStack),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
	)
}

// udpSocket fills what is known of each. The kernel tells no device, and of a closing nothing but which socket it is.
func (p *program) udpSocket(kind Kind) {
	p.common(kind, protocolUDP)
	p.add(
		asm.Mov.Reg(asm.R1, ctx),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(record, atCookie, asm.R0, asm.DWord),
		asm.StoreImm(record, atFamily, familyV4, asm.Half),
		asm.StoreImm(record, atPort, 0, asm.Half),
		asm.StoreImm(record, atDevice, 0, asm.Word),
		asm.StoreImm(record, atNamespace, 0, asm.Word),
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(record, atAddress, asm.R1, asm.DWord),
		asm.StoreMem(record, atAddress+8, asm.R1, asm.DWord),
	)
}

// ownNamespace puts down the network namespace of the process, in which it bound the socket.
func (p *program) ownNamespace() {
	p.add(asm.FnGetCurrentTask.Call(), asm.Mov.Reg(pointer, asm.R0))
	p.follow(pointer, p.layout.namespaces)
	p.follow(pointer, p.layout.ownNetwork)
	p.namespace()
}
