package sandbox

import (
	"errors"

	"golang.org/x/sys/unix"
)

// What is kept of a test's output: the first error and the last lines matter.
const (
	headLimit  = 16 << 10
	tailLimit  = 48 << 10
	outputRead = 64 << 10
	// readsAtOnce lets a test that writes without end not keep its supervisor from everything else.
	readsAtOnce = 16
)

// output keeps the head and the tail of what a test writes.
type output struct {
	head, tail []byte
	omitted    int64
	buffer     []byte
}

// drain takes what is in the pipe. It never waits.
func (o *output) drain(pipe int) {
	if o.buffer == nil {
		o.buffer = make([]byte, outputRead)
	}
	for range readsAtOnce {
		n, err := unix.Read(pipe, o.buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n <= 0 || err != nil {
			return
		}
		o.add(o.buffer[:n])
	}
}

func (o *output) add(data []byte) {
	fits := min(len(data), headLimit-len(o.head))
	o.head = append(o.head, data[:fits]...)
	o.tail = append(o.tail, data[fits:]...)
	// Cut now and then only, as each cut moves the whole tail.
	if len(o.tail) > 2*tailLimit {
		o.cut()
	}
}

func (o *output) cut() {
	if over := len(o.tail) - tailLimit; over > 0 {
		o.omitted += int64(over)
		o.tail = append(o.tail[:0], o.tail[over:]...)
	}
}

// text is the head and the tail; omitted bytes stood between them.
func (o *output) text() (text []byte, omitted int64) {
	o.cut()
	return append(o.head, o.tail...), o.omitted
}
