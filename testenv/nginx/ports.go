package nginx

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
)

// portCount is how many ports each nginx has for itself.
const portCount = 3

// freePorts returns different ports that are free for TCP and UDP on 127.0.0.1, and nothing keeps them so.
func freePorts() (ports [portCount]int, err error) {
	var taken []io.Closer
	defer func() {
		for _, socket := range taken {
			_ = socket.Close()
		}
	}()
	for i := range ports {
		for attempt := 1; ; attempt++ {
			port, sockets, err := takePort()
			taken = append(taken, sockets...)
			if err == nil {
				ports[i] = port
				break
			}
			if attempt == portAttempts {
				return ports, fmt.Errorf("cannot find a free port: %w; bring up the loopback interface", err)
			}
		}
	}
	return ports, nil
}

func takePort() (port int, sockets []io.Closer, err error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, nil, err
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return 0, nil, errors.Join(err, listener.Close())
	}
	datagrams, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(address))
	if err != nil {
		return 0, nil, errors.Join(err, listener.Close())
	}
	return int(address.Port()), []io.Closer{listener, datagrams}, nil
}
