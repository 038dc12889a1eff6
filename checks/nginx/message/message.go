// Package message understands what nginx says when it tests a configuration, and whose fault a failure is.
package message

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

const (
	// maxText bounds a message, maxFile the path that it names, in bytes.
	maxText  = 1024
	maxFile  = 4096
	ellipsis = "…"

	// CommandLine is the File of a message about -g.
	CommandLine = "command line"
)

// Message is one thing that nginx said.
type Message struct {
	Level Level
	// Text is without the file and the line, on one line, at most 1024 bytes.
	Text string
	// File is the configuration file to blame, CommandLine or empty; Line is 0 without a file.
	File string
	Line int
	// Cause is whose fault it is; CauseNone for what does not make a test fail.
	Cause Cause
}

var (
	// levelled is a message on the terminal, logged one in the error log, which may be the terminal.
	levelled = regexp.MustCompile(`^[A-Za-z][\w.-]*: \[(\w+)\] (.*)$`)
	logged   = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] \d+#\d+: (?:\*\d+ )?(.*)$`)
	position = regexp.MustCompile(`:(\d{1,9})$`)
)

// parseMessage reads one line. Lines without a level are kept whole.
func parseMessage(line string) Message {
	for _, form := range []*regexp.Regexp{levelled, logged} {
		found := form.FindStringSubmatch(line)
		if found == nil {
			continue
		}

		if level, ok := levelOf(found[1]); ok {
			m := Message{Level: level}
			m.Text, m.File, m.Line = cutPosition(found[2])
			m.Cause = causeOf(level, m.Text)
			m.Text, m.File = shorten(m.Text, maxText), shorten(m.File, maxFile)

			return m
		}
	}

	return Message{Level: LevelStderr, Text: shorten(line, maxText), Cause: CauseOther}
}

// cutPosition takes " in /etc/nginx/nginx.conf:12" off the end. Paths are absolute unless the prefix is not.
func cutPosition(text string) (rest, file string, line int) {
	if rest, ok := strings.CutSuffix(text, " in "+CommandLine); ok {
		return rest, CommandLine, 0
	}

	at := position.FindStringSubmatchIndex(text)
	if at == nil {
		return text, "", 0
	}

	// No more than nine digits.
	line, _ = strconv.Atoi(text[at[2]:at[3]])
	named := text[:at[0]]

	for _, mark := range []string{" in /", " in "} {
		i := strings.LastIndex(named, mark)
		if i < 0 {
			continue
		}

		if file := named[i+len(" in "):]; file != "" && !strings.Contains(file, `"`) {
			return text[:i], file, line
		}
	}

	return text, "", 0
}

// shorten makes text valid, without control characters and at most limit bytes long.
func shorten(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '?'
		}

		return r
	}, text)

	if len(text) <= limit {
		return text
	}

	return strings.ToValidUTF8(text[:limit-len(ellipsis)], "") + ellipsis
}
