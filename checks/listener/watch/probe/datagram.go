package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// MaxPorts is how many UDP ports SetPorts takes.
const MaxPorts = 1024

// maxBound bounds how many UDP sockets are followed to their end.
const maxBound = 4096

// datagrams are the maps of the programs for UDP.
type datagrams struct {
	// ports are those on which sockets are told of.
	ports *ebpf.Map
	// bound are the cookies of the sockets whose end is to be told, where the kernel does not tell the port then.
	bound *ebpf.Map
	hooks []*loaded
}

func (d *datagrams) close() error {
	err := errors.Join(d.ports.Close(), d.bound.Close())
	*d = datagrams{}

	return err
}

// WatchUDP also tells of UDP sockets that have one of the ports that SetPorts names, by one means. While there are no such
// ports the kernel does nothing for it. Where it fails another means may be tried.
func (p *Probe) WatchUDP(by Means) error {
	before := len(p.loaded)

	if err := p.watchUDP(by); err != nil {
		return errors.Join(by.aim.Explain(err), p.unload(before), p.udp.close())
	}

	p.udp.hooks = p.loaded[before:]

	return nil
}

func (p *Probe) watchUDP(by Means) (err error) {
	p.udp.ports, err = ebpf.NewMap(&ebpf.MapSpec{Name: "listen_ports", Type: ebpf.Hash, KeySize: 4, ValueSize: 1, MaxEntries: MaxPorts})
	if err != nil {
		return err
	}

	hooks, err := by.hooks(p)
	if err != nil {
		return err
	}

	var last *loaded

	for _, h := range hooks {
		if last, err = p.load(h); err != nil {
			return err
		}
	}

	// One shows that it can be done; the kernel takes a while to leave a function alone.
	return errors.Join(last.attach(), last.detach())
}

// FollowUDP has the end of sockets told that had their port before it was of interest, by their cookies.
func (p *Probe) FollowUDP(cookies []uint64) error {
	if p.udp.bound == nil {
		return nil
	}

	for _, cookie := range cookies {
		if err := p.udp.bound.Put(cookie, uint8(1)); err != nil {
			return fmt.Errorf("cannot follow a UDP socket: %w", err)
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
