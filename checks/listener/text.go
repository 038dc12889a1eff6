package listener

import (
	"strings"
	"unicode"
)

const (
	// textLimit bounds what a process says of itself, in bytes.
	textLimit = 512
	cutMark   = "..."
)

// Printable makes text valid UTF-8 without control characters, of at most limit bytes and a mark where it is cut.
func Printable(text string, limit int) string {
	mark := ""
	if len(text) > limit {
		text, mark = text[:limit], cutMark
	}

	return strings.Map(harmless, strings.ToValidUTF8(text, "?")) + mark
}

func harmless(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
		return '?'
	}

	return r
}
