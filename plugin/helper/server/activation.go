package server

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// SocketName is what the socket's unit calls its descriptor (FileDescriptorName=).
const SocketName = "helper"

// Listener returns the socket that systemd passed, which must be the only one and a listening stream socket of AF_UNIX: this process is root and
// listens nowhere else (sd_listen_fds(3)).
func Listener() (*net.UnixListener, error) {
	files := activation.Files(true)
	defer func() {
		for _, file := range files {
			_ = file.Close()
		}
	}()

	if len(files) != 1 {
		return nil, fmt.Errorf("cannot serve: systemd passed %d sockets, not the one of %s.socket; run systemctl start %s.socket",
			len(files), helper.Unit, helper.Unit)
	}

	listener, err := listenerOf(files[0])
	if err != nil {
		return nil, fmt.Errorf("cannot serve: %w; the socket must be that of %s.socket", err, helper.Unit)
	}

	return listener, nil
}

func listenerOf(file *os.File) (*net.UnixListener, error) {
	if name := file.Name(); name != SocketName {
		return nil, fmt.Errorf("the socket is called %q, not %q", name, SocketName)
	}

	fd := int(file.Fd())

	for _, option := range []struct {
		option, want int
		otherwise    string
	}{
		{unix.SO_DOMAIN, unix.AF_UNIX, "it is no unix socket"},
		{unix.SO_TYPE, unix.SOCK_STREAM, "it is no stream socket"},
		{unix.SO_ACCEPTCONN, 1, "it does not listen"},
	} {
		if got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option.option); err != nil || got != option.want {
			return nil, errors.New(option.otherwise)
		}
	}

	listener, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}

	unixListener, ok := listener.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(errors.New("it is no unix socket"), listener.Close())
	}

	return unixListener, nil
}
