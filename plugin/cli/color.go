package cli

import "strings"

// Colors of a terminal, as the parameters of ECMA-48's SGR.
const (
	bold  = "1"
	red   = "31"
	green = "32"
)

// paint colors text where a person reads it on a terminal.
func (a *app) paint(color, text string) string {
	if !a.color {
		return text
	}

	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// heading paints the first line of a table.
func (a *app) heading(text string) string {
	first, rest, _ := strings.Cut(text, "\n")

	return a.paint(bold, first) + "\n" + rest
}
