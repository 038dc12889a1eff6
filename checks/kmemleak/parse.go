package kmemleak

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// object is one allocation that nothing points to.
type object struct {
	size     uint64
	comm     string
	pid      int
	jiffies  uint64
	age      time.Duration
	ageKnown bool
	stack    []string
}

const (
	// maxLine is longer than any line of the file.
	maxLine = 4 << 10
	// maxFrames is MAX_TRACE of the kernel (mm/kmemleak.c).
	maxFrames = 16
)

// Lines of the file begin so (print_unreferenced of mm/kmemleak.c).
var (
	objectMark = []byte("unreferenced object ")
	commMark   = []byte("  comm ")
	traceMark  = []byte("  backtrace")
	frameMark  = []byte("    [<")
	bareFrame  = []byte("    ")
)

// parse calls found for each object. It fails where reading does; lines that it does not understand are problems. The versions of the
// kernel differ:
//
//	before 6.8   comm "X", pid 1, jiffies 4294673719 (age 12.340s)   or without the age
//	             backtrace:
//	               [<000000002728fe5f>] kmalloc_trace+0x21/0x90
//	6.8 and on   backtrace (crc 7f2d4a0e):
//	               [<ffffffff81a2b3c4>] kmalloc_trace+0x21/0x90      or without the address
func parse(from io.Reader, problems *procfile.Problems, found func(*object)) error {
	lines := bufio.NewReaderSize(from, maxLine)

	var (
		one     *object
		inTrace bool
	)

	flush := func() {
		if one != nil {
			found(one)
		}

		one, inTrace = nil, false
	}
	defer flush()

	for number := 1; ; number++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			problems.Addf("line %d: too long", number)

			err = skipLine(lines)
			line = nil
		}

		line = bytes.TrimRight(line, "\n")

		switch {
		case bytes.HasPrefix(line, objectMark):
			flush()

			if one = parseObject(line); one == nil {
				problems.Addf("line %d: %s", number, procfile.Quote(line))
			}
		case one == nil:
		case bytes.HasPrefix(line, commMark):
			if !one.parseComm(line) {
				problems.Addf("line %d: %s", number, procfile.Quote(line))
			}
		case bytes.HasPrefix(line, traceMark):
			inTrace = true
		case inTrace && bytes.HasPrefix(line, bareFrame):
			one.addFrame(line)
		}

		if errors.Is(err, io.EOF) {
			return nil
		}

		if err != nil {
			return err
		}
	}
}

func skipLine(lines *bufio.Reader) error {
	for {
		_, err := lines.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// parseObject reads "unreferenced object 0xff42abc2013076a0 (size 32):", nil where that is not one.
func parseObject(line []byte) *object {
	_, rest, ok := strings.Cut(string(line), " (size ")
	digits, closed := strings.CutSuffix(rest, "):")

	size, err := strconv.ParseUint(digits, 10, 48)
	if !ok || !closed || err != nil {
		return nil
	}

	return &object{size: size}
}

// parseComm reads `  comm "insmod", pid 76, jiffies 4294673719 (age 12.340s)`. The name may hold anything, quotes too.
func (o *object) parseComm(line []byte) bool {
	text, quoted := strings.CutPrefix(string(line[len(commMark):]), `"`)

	end := strings.LastIndex(text, `", pid `)
	if !quoted || end < 0 {
		return false
	}

	o.comm = procfile.Printable(text[:end])

	pid, rest, ok := strings.Cut(text[end+len(`", pid `):], ", jiffies ")
	jiffies, age, aged := strings.Cut(rest, " (age ")

	var pidErr, jiffiesErr error

	o.pid, pidErr = strconv.Atoi(pid)
	o.jiffies, jiffiesErr = strconv.ParseUint(strings.TrimSpace(jiffies), 10, 64)

	if aged {
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(age, "s)"), 64)
		o.ageKnown = err == nil && seconds >= 0 && seconds < 1e9

		if o.ageKnown {
			o.age = time.Duration(seconds * float64(time.Second))
		}
	}

	return ok && pidErr == nil && jiffiesErr == nil
}

// addFrame takes the function of a frame. The address before it is hashed, and no two boots agree about it.
func (o *object) addFrame(line []byte) {
	text := strings.TrimSpace(string(line))

	if bytes.HasPrefix(line, frameMark) {
		_, text, _ = strings.Cut(text, "] ")
	}

	if text != "" && len(o.stack) < maxFrames {
		o.stack = append(o.stack, procfile.Printable(text))
	}
}
