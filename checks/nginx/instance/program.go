package instance

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// maxProgram is several times the largest nginx that anybody builds.
	maxProgram = 128 << 20
	// scanBuffer holds any text of a program whole.
	scanBuffer = maxVersionOutput
)

// versionMarks start the texts that nginx writes for -V (ngx_show_version_info). A compiler leaves each whole.
var versionMarks = [][]byte{[]byte(" version: "), []byte("built with "), []byte("configure arguments:")}

// readBuild reads a program's file and looks for what -V would print.
func readBuild(path string) (Build, error) {
	// Whoever puts a pipe there must not have us wait.
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return Build{}, err
	}
	defer func() { _ = file.Close() }()

	text, err := versionTexts(io.LimitReader(file, maxProgram))
	if err != nil {
		return Build{}, err
	}

	b, err := ParseBuild(strings.NewReader(text))
	// A program that only speaks of nginx has a version line at most.
	if err == nil && b.Arguments == nil {
		err = errNotNginx
	}

	return b, err
}

// versionTexts returns the texts with the marks in a form that ParseBuild reads: the product's version line first, one
// of each kind. Texts end with a zero byte.
func versionTexts(r io.Reader) (string, error) {
	var own, base, other []string

	reader := bufio.NewReaderSize(r, scanBuffer)

	for {
		piece, err := reader.ReadSlice(0)

		for line := range marked(piece) {
			switch found := versionLine.FindStringSubmatch(line); {
			case found == nil || productOf(found[2]) == ProductOther:
				other = appendNew(other, line)
			case productOf(found[2]) == ProductNginx:
				base = appendNew(base, line)
			default:
				own = appendNew(own, line)
			}
		}

		if err == nil || errors.Is(err, bufio.ErrBufferFull) {
			continue
		}

		lines := slices.Concat(own, base, other)
		if !errors.Is(err, io.EOF) {
			return "", err
		}

		return strings.Join(lines, "\n"), nil
	}
}

// marked yields the lines of a text that hold what -V prints, each from where its mark's word starts.
func marked(piece []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i, mark := range versionMarks {
			at := bytes.Index(piece, mark)
			if at < 0 {
				continue
			}

			if i == 0 {
				at = wordStart(piece, at)
			}

			line, _, _ := bytes.Cut(piece[at:], []byte{'\n'})

			isLine := at == 0 || piece[at-1] == '\n'
			if line = bytes.TrimRight(line, "\x00"); i > 0 && isLine || i == 0 && versionLine.Match(line) {
				if !yield(string(line)) {
					return
				}
			}
		}
	}
}

func wordStart(text []byte, at int) int {
	for at > 0 && (text[at-1] >= 'a' && text[at-1] <= 'z' || text[at-1] >= 'A' && text[at-1] <= 'Z') {
		at--
	}

	return at
}

// maxLines bounds what a file full of marks yields.
const maxLines = 16

func appendNew(lines []string, line string) []string {
	if len(lines) == maxLines {
		return lines
	}

	return append(lines, line)
}
