package procfile

import (
	"strings"
	"unicode"
)

// Printable makes of what a process or the kernel says of itself valid UTF-8 that stays on one line: a question mark stands for what is neither.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}

		return r
	}, text)
}
