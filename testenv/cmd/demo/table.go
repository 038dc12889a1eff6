package main

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

const (
	tableWidth = 100
	// narrowest is what remains for values beside very long keys.
	narrowest = 30
)

// outcome is how a key was answered, by the mark before its line.
type outcome string

const (
	answered   outcome = " "
	permission outcome = "-"
	failure    outcome = "!"
)

type line struct {
	mark           outcome
	key, took, say string
}

// answers are what one agent answered.
type answers struct {
	title string
	lines []line
}

// missingPermission is how the kernel says so, which the plugin's sentences hold.
var missingPermission = regexp.MustCompile(`(?i)permission denied|operation not permitted`)

func (a *answers) add(key, value string, err error, took time.Duration) {
	l := line{mark: answered, key: key, took: fmt.Sprintf("%.1f ms", float64(took.Microseconds())/1000), say: summary(value)}
	var refused *zabbixagent.NotSupported
	switch {
	case errors.As(err, &refused):
		l.mark, l.say = failure, refused.Reason
		if missingPermission.MatchString(refused.Reason) {
			l.mark = permission
		}
	case err != nil:
		l.mark, l.say = failure, err.Error()
	}
	a.lines = append(a.lines, l)
}

func (a *answers) count(mark outcome) int {
	n := 0
	for _, l := range a.lines {
		if l.mark == mark {
			n++
		}
	}
	return n
}

// print writes lines of at most tableWidth columns; what keeps a key from being answered is never cut.
func (a *answers) print(out io.Writer) error {
	keyWidth, tookWidth := len("item key"), len("took")
	for _, l := range a.lines {
		keyWidth = max(keyWidth, utf8.RuneCountInString(l.key))
		tookWidth = max(tookWidth, utf8.RuneCountInString(l.took))
	}
	room := max(narrowest, tableWidth-keyWidth-tookWidth-len("  ")*3)
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", a.title)
	fmt.Fprintf(&text, "  %-*s  %*s  %s\n", keyWidth, "item key", tookWidth, "took", "value")
	for _, l := range a.lines {
		say := wrap(l.say, room)
		if l.mark == answered {
			say = []string{shorten(l.say, room)}
		}
		fmt.Fprintf(&text, "%s %-*s  %*s  %s\n", l.mark, keyWidth, l.key, tookWidth, l.took, say[0])
		for _, more := range say[1:] {
			fmt.Fprintf(&text, "%*s%s\n", keyWidth+tookWidth+len("  ")*3, "", more)
		}
	}
	fmt.Fprintf(&text, "\n%d of %d keys answered", a.count(answered), len(a.lines))
	if n := a.count(permission); n > 0 {
		fmt.Fprintf(&text, ", %d (-) lack permission", n)
	}
	if n := a.count(failure); n > 0 {
		fmt.Fprintf(&text, ", %d (!) failed", n)
	}
	_, err := fmt.Fprint(out, text.String()+"\n\n")
	return err
}
