package procfile

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CutMark stands at the end of a text that was cut.
const CutMark = "..."

// Printable makes of what a process or the kernel says of itself valid UTF-8 that stays on one line: a question mark stands for what is neither.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}

		return r
	}, text)
}

// PrintableStart is Printable of the first limit bytes, or less where those end within a character, with CutMark where there are more.
func PrintableStart(text string, limit int) string {
	if len(text) <= limit {
		return Printable(text)
	}

	end := limit
	for end > max(limit-utf8.UTFMax, 0) && !utf8.RuneStart(text[end]) {
		end--
	}

	return Printable(text[:end]) + CutMark
}
