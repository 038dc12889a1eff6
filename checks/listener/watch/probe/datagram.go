package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/bpf"
)

// rightsForUDP are more than TCP needs.
var rightsForUDP = append(bpf.Tracing(), bpf.Right{Number: unix.CAP_NET_ADMIN, Name: "CAP_NET_ADMIN"})

// MaxPorts is how many UDP ports SetPorts takes.
const MaxPorts = 1024

// maxBound bounds how many UDP sockets are followed to their end.
const maxBound = 4096

// datagrams are the maps of the programs for UDP.
type datagrams struct {
	// ports are those on which sockets are told of, bound the cookies of the sockets whose end is to be told.
	ports, bound *ebpf.Map
	hooks        []*loaded
}

// WatchUDP also tells of UDP sockets that are bound to one of the ports that SetPorts names. No tracepoint tells of them,
// so this asks to be called at each bind(2) and at the end of each socket of the processes below a cgroup of version 2,
// which is the root of all. While there are no such ports it is not called. It fails with fs.ErrPermission without
// CAP_NET_ADMIN.
func (p *Probe) WatchUDP(cgroup string) error {
	before := len(p.loaded)
	err := p.watchUDP(cgroup)

	// It has been seen that it can be done.
	for _, l := range p.loaded[before:] {
		err = errors.Join(err, l.detach())
	}

	if err != nil {
		return errors.Join(bpf.Explain("UDP sockets", err, rightsForUDP), p.unload(before))
	}

	p.udp.hooks = p.loaded[before:]

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

		err = p.run(spec, func(program *ebpf.Program) (link.Link, error) {
			return link.AttachCgroup(link.CgroupOptions{Path: cgroup, Attach: one.at, Program: program})
		})
		if err != nil {
			return err
		}
	}

	return nil
}

// SetPorts names the UDP ports of interest from now on. It needs WatchUDP before.
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

	return p.udp.use(len(ports) > 0)
}

// use has the hooks be called, or not.
func (d *datagrams) use(needed bool) error {
	for _, l := range d.hooks {
		change := l.detach
		if needed {
			change = l.attach
		}

		if err := change(); err != nil {
			return fmt.Errorf("cannot watch UDP sockets in the kernel: %w", err)
		}
	}

	return nil
}
