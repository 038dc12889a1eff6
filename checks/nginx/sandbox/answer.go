package sandbox

import "golang.org/x/sys/unix"

// call is a system call that a process of the test waits in.
type call struct {
	name string
	// pid is the calling thread.
	pid       int
	arguments [6]uint64
	// waits tells whether the caller still does, so that pid is still its own.
	waits func() bool
}

// answer is what the caller gets instead of what the kernel would have done.
type answer struct {
	kind  answerKind
	errno unix.Errno
	// substitute is what the caller is given, as fd.
	substitute  substitute
	fd          int
	closeOnExec bool
	// replaces is the caller's own descriptor that fd takes the place of, where substitute is emptySocket.
	replaces int
}

// substitute is a file that the caller gets as the one it opens.
type substitute int

const (
	// nullDevice takes what is written and has nothing to read.
	nullDevice substitute = iota
	// outputPipe is the caller's own standard output and error.
	outputPipe
	// readOnlyFile is the file itself. It is closed after it was given.
	readOnlyFile
	// emptySocket takes the place of a connected one.
	emptySocket
)

type answerKind int

const (
	// answered is an error, or 0.
	answered answerKind = iota
	// allowed lets the kernel do the call.
	allowed
	// given is a file descriptor.
	given
)

func success() answer { return answer{} }

func allow() answer { return answer{kind: allowed} }

func fail(errno unix.Errno) answer { return answer{errno: errno} }

func give(what substitute, fd int, closeOnExec bool) answer {
	return answer{kind: given, substitute: what, fd: fd, closeOnExec: closeOnExec}
}
