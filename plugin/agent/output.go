package agent

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

const (
	outputHeadBytes = 1500
	outputTailBytes = 1500
)

// output keeps the first and the last bytes of what a worker printed: the first lines of a Go crash name its cause, the
// last lines of anything else do.
type output struct {
	mu      sync.Mutex
	head    []byte
	tail    []byte
	omitted int
}

// drain reads until the writer is gone, so that a worker never blocks on its own last words.
func (o *output) drain(r io.Reader) {
	buf := make([]byte, 4<<10)

	for {
		n, err := r.Read(buf)
		o.add(buf[:n])

		if err != nil {
			return
		}
	}
}

func (o *output) add(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()

	room := min(len(b), outputHeadBytes-len(o.head))
	o.head = append(o.head, b[:room]...)
	o.tail = append(o.tail, b[room:]...)

	if over := len(o.tail) - outputTailBytes; over > 0 {
		o.omitted += over
		o.tail = append(o.tail[:0], o.tail[over:]...)
	}
}

// String tells what was printed, the lines with " | " between them, as a log message is one line.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()

	var text bytes.Buffer

	text.Write(o.head)

	if o.omitted > 0 {
		fmt.Fprintf(&text, "\n(%d bytes omitted)\n", o.omitted)
	}

	text.Write(o.tail)

	if text.Len() == 0 {
		return "it printed nothing"
	}

	lines := strings.FieldsFunc(strings.ToValidUTF8(text.String(), "?"), func(r rune) bool { return r == '\n' || r == '\r' })

	return "it printed: " + strings.Join(lines, " | ")
}
