package terminal

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Control sequences of xterm that every common terminal knows: another screen, no cursor, and no line goes on in the next.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	eraseLine   = "\x1b[2K"
	eraseBelow  = "\x1b[J"

	escape     = '\x1b'
	endOfColor = 'm'
)

// Screen is a live view that has the terminal for itself and leaves it as it was. It is not safe for concurrent use.
type Screen struct{ file *os.File }

// OpenScreen takes the terminal. The caller must call Close.
func OpenScreen(file *os.File) (*Screen, error) {
	_, err := file.WriteString(enterScreen)

	return &Screen{file}, err
}

// Draw shows the text in place of the last one, as much of it as the terminal has room for. It writes once, so that nothing flickers.
func (s *Screen) Draw(text string) error {
	columns, rows := Size(s.file)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")

	for i, line := range lines {
		lines[i] = cut(line, columns)
	}

	after := "\n" + eraseBelow
	if len(lines) >= rows {
		lines, after = lines[:rows], ""
	}

	_, err := s.file.WriteString(home + eraseLine + strings.Join(lines, "\n"+eraseLine) + after)

	return err
}

// cut keeps so many characters of a line, and all sequences of color, as they end what they begin.
func cut(line string, columns int) string {
	var kept strings.Builder

	inSequence := false

	for _, r := range line {
		switch {
		case r == escape:
			inSequence = true
		case inSequence:
			inSequence = r != endOfColor
		case columns == 0:
			continue
		default:
			columns--
		}

		kept.WriteRune(r)
	}

	return kept.String()
}

// Close gives the terminal back.
func (s *Screen) Close() error {
	_, err := s.file.WriteString(leaveScreen)

	return err
}

// Suspend stops the process, as Ctrl-Z asks, and takes the terminal again when it goes on.
func (s *Screen) Suspend() error {
	goesOn := make(chan os.Signal, 1)
	signal.Notify(goesOn, syscall.SIGCONT)

	defer signal.Stop(goesOn)

	if err := s.Close(); err != nil {
		return err
	}

	if err := syscall.Kill(os.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}

	// This thread may run on for a moment after the call.
	<-goesOn

	_, err := s.file.WriteString(enterScreen)

	return err
}
