package message

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxKept is how many messages of each kind are kept: the last ones.
	maxKept = 20
	// maxLine is how much of a line is looked at.
	maxLine = 64 << 10
)

// Verdict is what nginx said in the end.
type Verdict int

// The verdicts.
const (
	// VerdictNone is an output without one: nginx was ended, or is not nginx, or was told to be quiet.
	VerdictNone       Verdict = 0
	VerdictSuccessful Verdict = 1
	VerdictFailed     Verdict = 2
)

// Output is what nginx said in a test. Each list holds its last 20 messages: those that make a test fail, then the
// others, each the last one first.
type Output struct {
	Verdict Verdict
	// SyntaxOK says that the whole configuration was read; what failed then are files and sockets.
	SyntaxOK bool
	// ConfigFile is the path by which nginx named its configuration file; empty where it did not.
	ConfigFile string

	// Errors are emerg to error, Warnings warn; Others have no level, such as the words of a module, or a lesser one.
	Errors   []Message
	Warnings []Message
	Others   []Message
	// Omitted counts the messages that did not fit.
	Omitted int
}

// Reason is the message that tells why a test failed; nil where there is none.
func (o *Output) Reason() *Message {
	switch {
	case len(o.Errors) > 0 && (o.Errors[0].Cause != CauseNone || len(o.Others) == 0):
		return &o.Errors[0]
	case len(o.Others) > 0:
		return &o.Others[0]
	}

	return nil
}

// weight is 1 for what makes a test fail.
func (m Message) weight() int {
	if m.Cause == CauseNone {
		return 0
	}

	return 1
}

var (
	verdict  = regexp.MustCompile(`^[A-Za-z][\w.-]*: configuration file (.*) test (is successful|failed)$`)
	syntaxOK = regexp.MustCompile(`^[A-Za-z][\w.-]*: the configuration file .* syntax is ok$`)
)

// Parse reads all that nginx, or a fork of it, wrote with -t on both of its outputs. An error is the reader's.
func Parse(r io.Reader) (Output, error) {
	var o Output

	reader := bufio.NewReaderSize(r, maxLine)

	for {
		line, err := readLine(reader)
		if line != "" {
			o.take(line)
		}

		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Output{}, err
		}
	}

	for _, list := range [][]Message{o.Errors, o.Warnings, o.Others} {
		slices.Reverse(list)
		slices.SortStableFunc(list, func(a, b Message) int { return cmp.Compare(b.weight(), a.weight()) })
	}

	return o, nil
}

// readLine returns the start of the next line and drops what is too long.
func readLine(reader *bufio.Reader) (string, error) {
	piece, err := reader.ReadSlice('\n')
	line := strings.TrimRight(string(piece), "\r\n")

	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = reader.ReadSlice('\n')
	}

	return line, err
}

func (o *Output) take(line string) {
	if found := verdict.FindStringSubmatch(line); found != nil {
		o.ConfigFile = shorten(found[1], maxFile)
		o.Verdict = VerdictFailed

		if found[2] == "is successful" {
			o.Verdict = VerdictSuccessful
		}

		return
	}

	if syntaxOK.MatchString(line) {
		o.SyntaxOK = true

		return
	}

	m := parseMessage(line)
	list := &o.Others

	switch {
	case m.Level >= LevelEmerg && m.Level <= LevelError:
		list = &o.Errors
	case m.Level == LevelWarn:
		list = &o.Warnings
	}

	// Where the error log is the terminal, nginx says the same thing there in both forms.
	if n := len(*list); n > 0 && (*list)[n-1] == m {
		return
	}

	if len(*list) == maxKept {
		*list = slices.Delete(*list, 0, 1)
		o.Omitted++
	}

	*list = append(*list, m)
}
