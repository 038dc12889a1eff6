package conf

import "bytes"

// skipLua skips the Lua code of OpenResty's *_by_lua_block, whose end is the brace that closes it. Braces in Lua's strings
// and comments do not count.
func (l *lexer) skipLua() {
	for depth := 1; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; c {
		case '\n':
			l.line++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				l.at++

				return
			}
		case '"', '\'':
			l.skipString(c)
		case '[':
			l.skipLong()
		case '-':
			if bytes.HasPrefix(l.text[l.at:], []byte("--")) {
				l.skipComment()
			}
		}
	}
}

// skipString goes to the quote that ends a string, or to the end of the line, beyond which none goes.
func (l *lexer) skipString(quote byte) {
	for l.at++; l.at < len(l.text) && l.text[l.at] != quote; l.at++ {
		switch l.text[l.at] {
		case '\\':
			if l.at++; l.at < len(l.text) && l.text[l.at] == '\n' {
				l.line++
			}
		case '\n':
			l.line++

			return
		}
	}
}

// skipLong goes to the end of [[ a long string ]], which may have equals signs within its brackets.
func (l *lexer) skipLong() bool {
	level := 0
	for l.at+1+level < len(l.text) && l.text[l.at+1+level] == '=' {
		level++
	}

	start := l.at + 1 + level
	if start >= len(l.text) || l.text[start] != '[' {
		return false
	}

	end := append(append([]byte("]"), bytes.Repeat([]byte("="), level)...), ']')

	length := bytes.Index(l.text[start+1:], end)
	if length < 0 {
		length = len(l.text) - start - 1 - len(end)
	}

	next := min(start+1+max(length, 0)+len(end), len(l.text))
	l.line += bytes.Count(l.text[l.at:next], []byte("\n"))
	l.at = next - 1

	return true
}

func (l *lexer) skipComment() {
	l.at += 2
	if l.at < len(l.text) && l.text[l.at] == '[' && l.skipLong() {
		return
	}

	l.skipLine()
	// The line feed is counted where the loop meets it.
	l.at--
}
