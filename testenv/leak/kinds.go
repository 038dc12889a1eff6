package leak

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Kind is what a process takes of the kernel.
type Kind string

// The kinds, each with the function of the kernel that most of the memory is asked for by.
const (
	TCP    Kind = "tcp"    // sockets: sk_prot_alloc
	Unix   Kind = "unix"   // sockets: sk_prot_alloc
	Pipes  Kind = "pipes"  // alloc_pipe_info
	Epolls Kind = "epolls" // do_epoll_create
	// LargePipes are pipes with room for 1 MiB, whose description of 10 KiB lies in whole pages: pipe_resize_ring.
	LargePipes Kind = "large pipes"
	// Watches are files in memory that are watched: shmem_alloc_inode, and inotify_update_watch for a tenth.
	Watches Kind = "watches"
	// Messages wait in queues of System V, in a namespace that ends with the process: alloc_msg.
	Messages Kind = "messages"
)

const (
	roomOfLargePipe = 1 << 20
	// With the kernel's header, of 48 bytes, a message takes 1 KiB. A queue has room for 16 (msgmnb of proc_sys_kernel(5)).
	messageSize      = 1<<10 - 48
	messagesPerQueue = 16
	// perProcess leaves room below the limit of 20,000 descriptors that some machines have.
	perProcess = 19_000
)

// most says how many objects one process can take.
func (k Kind) most() int {
	switch k {
	case Pipes, LargePipes:
		return perProcess / 2
	case Watches, Messages:
		return 1 << 20
	}

	return perProcess
}

// taker returns what takes one object more. Files are made in dir.
func (k Kind) taker(dir string) (take func(i int) error, err error) {
	switch k {
	case TCP:
		return func(int) error { return second(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)) }, nil
	case Unix:
		return func(int) error { return second(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)) }, nil
	case Epolls:
		return func(int) error { return second(unix.EpollCreate1(0)) }, nil
	case Pipes:
		return func(int) error { return unix.Pipe2(make([]int, 2), 0) }, nil
	case LargePipes:
		return func(int) error {
			pipe := make([]int, 2)
			if err := unix.Pipe2(pipe, 0); err != nil {
				return err
			}

			return second(unix.FcntlInt(uintptr(pipe[0]), unix.F_SETPIPE_SZ, roomOfLargePipe))
		}, nil
	case Watches:
		return watcher(dir)
	case Messages:
		return sender(), nil
	}

	return nil, fmt.Errorf("cannot leak %q: there is no such kind", k)
}

func second[T any](_ T, err error) error { return err }

func watcher(dir string) (take func(i int) error, err error) {
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}

	return func(i int) error {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}

		return second(unix.InotifyAddWatch(watch, path, unix.IN_MODIFY))
	}, nil
}

func sender() func(i int) error {
	var queue uintptr
	// struct msgbuf: the type, a long, and the text (msgop(2)).
	message := make([]byte, 8+messageSize)
	message[0] = 1

	return func(i int) error {
		if i%messagesPerQueue == 0 {
			made, _, errno := unix.Syscall(unix.SYS_MSGGET, 0 /* IPC_PRIVATE */, unix.IPC_CREAT|0o600, 0)
			if errno != 0 {
				return errno
			}

			queue = made
		}

		if _, _, errno := unix.Syscall6(unix.SYS_MSGSND, queue, uintptr(unsafe.Pointer(&message[0])), messageSize, unix.IPC_NOWAIT, 0, 0); errno != 0 {
			return errno
		}

		return nil
	}
}
