package sandbox

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/baddns"
)

// The addresses that a host for tests has besides those of the loopback interface. They are for documentation only.
const (
	hostAddress4 = "192.0.2.10"
	// foreign4 and foreign6 are no host's.
	foreign4, foreign6 = "198.51.100.99", "2001:db8::99"
	// knownName has the address hostAddress4 in /etc/hosts.
	knownName = "known.test"
)

// readOnlyName is a directory beside those of the tests, on a file system that is read only, where all may write otherwise.
const readOnlyName = "readonly"

// privateHost gives the calling thread a network with a few addresses and a name server, and files in /etc that name it.
func privateHost(temporary string, resolver baddns.Behavior) (clean func(), err error) {
	clean = func() {}
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return clean, fmt.Errorf("cannot have namespaces of its own: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return clean, fmt.Errorf("cannot have mounts of its own: %w", err)
	}
	for name, content := range map[string]string{
		"resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", "hosts": "127.0.0.1 localhost\n" + hostAddress4 + " " + knownName + "\n",
	} {
		file := filepath.Join(temporary, name)
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return clean, err
		}
		if err := unix.Mount(file, "/etc/"+name, "", unix.MS_BIND, ""); err != nil {
			return clean, fmt.Errorf("cannot replace /etc/%s: %w", name, err)
		}
	}
	// Old versions open the log that they were compiled with, whatever the configuration says.
	if err := unix.Mount("none", "/var/log", "tmpfs", 0, "mode=0755"); err != nil {
		return clean, fmt.Errorf("cannot replace /var/log: %w", err)
	}
	readOnly := filepath.Join(temporary, readOnlyName)
	if err := os.Mkdir(readOnly, 0o755); err != nil {
		return clean, err
	}
	if err := unix.Mount("none", readOnly, "tmpfs", unix.MS_RDONLY, "mode=0777"); err != nil {
		return clean, fmt.Errorf("cannot mount %s: %w", readOnly, err)
	}
	if err := addresses(); err != nil {
		return clean, err
	}
	return nameServer(resolver)
}

// addresses brings the loopback interface up, with a second address.
func addresses() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	for _, name := range []string{"lo", "lo:1"} {
		request, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		if name != "lo" {
			if err := request.SetInet4Addr(net.ParseIP(hostAddress4).To4()); err != nil {
				return err
			}
			if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request); err != nil {
				return fmt.Errorf("cannot give an address: %w", err)
			}
			continue
		}
		request.SetUint16(unix.IFF_UP)
		if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
			return fmt.Errorf("cannot bring %s up: %w", name, err)
		}
	}
	return nil
}

// nameServer answers on the port that the C library asks, in the calling thread's network.
func nameServer(behavior baddns.Behavior) (stop func(), err error) {
	if behavior.Name == "" {
		behavior = baddns.Answers()
	}
	server, err := baddns.Start(behavior, nil)
	if err != nil {
		return func() {}, err
	}
	front, err := net.ListenPacket("udp4", "127.0.0.1:53")
	if err != nil {
		return server.Close, err
	}
	back, err := net.Dial("udp4", server.Addr())
	if err != nil {
		return server.Close, err
	}
	var client atomic.Pointer[net.Addr]
	go func() {
		question := make([]byte, 4096)
		for {
			n, asker, err := front.ReadFrom(question)
			if err != nil {
				return
			}
			client.Store(&asker)
			_, _ = back.Write(question[:n])
		}
	}()
	go func() {
		answer := make([]byte, 4096)
		for {
			n, err := back.Read(answer)
			if err != nil {
				return
			}
			_, _ = front.WriteTo(answer[:n], *client.Load())
		}
	}()
	return func() {
		_ = front.Close()
		_ = back.Close()
		server.Close()
	}, nil
}
