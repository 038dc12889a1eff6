package agent

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.zabbix.com/sdk/plugin/comms"
)

// directFrameBytes bounds the answers that a worker writes to the agent itself. The kernel queues so small a message to a unix
// socket as one buffer: whole or not at all, never mixed with another writer's, whatever happens to the worker meanwhile.
const directFrameBytes = 4 << 10

// agentSocketFD is the agent's connection in a worker, behind the socketpair.
const agentSocketFD = workerSocketFD + 1

// directSocket is the agent's connection as a worker holds it, to spare its answers the way through the link. Larger answers, and those that the
// agent is slow to take, go through the link. Nil is a worker without one.
type directSocket struct {
	raw syscall.RawConn
}

// openDirectSocket returns the descriptor that the link handed over, if it did.
func openDirectSocket() *directSocket {
	if _, err := unix.GetsockoptInt(agentSocketFD, unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
		return nil
	}

	file := os.NewFile(agentSocketFD, "agent")
	defer file.Close()

	conn, err := net.FileConn(file)
	if err != nil {
		return nil
	}

	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}

	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}

	return &directSocket{raw: raw}
}

// send tells whether the agent has got the frame.
func (d *directSocket) send(f frame) bool {
	if d == nil || len(f) > directFrameBytes {
		return false
	}

	sent := false

	err := d.raw.Control(func(fd uintptr) {
		n, err := unix.SendmsgN(int(fd), f, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		sent = err == nil && n == len(f)
	})

	return err == nil && sent
}

// answeredNote tells the link that the agent has its answer. It follows the answer: should the worker die between, the link answers once more, and the
// agent ignores an answer to a request that it no longer waits for.
func (w *worker) answeredNote(id uint32) frame {
	f, err := newFrame(comms.Common{Id: id, Type: answeredType})
	if err != nil {
		w.Errf("%s", err)
	}

	return f
}
