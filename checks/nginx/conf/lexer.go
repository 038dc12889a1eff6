package conf

import "strings"

const (
	// maxWord and maxWords bound what is kept of a directive; nginx has no use for longer words (NGX_CONF_BUFFER).
	maxWord  = 4096
	maxWords = 64
)

// Directive is one directive: its name and its parameters, without quotes.
type Directive struct {
	Words []string
	File  string
	// Line is where its name stands.
	Line int
}

// Name is the first word.
func (d Directive) Name() string {
	if len(d.Words) == 0 {
		return ""
	}

	return d.Words[0]
}

// lexer cuts a configuration into words as ngx_conf_read_token does, but goes on where nginx would complain.
type lexer struct {
	text []byte
	at   int
	line int
}

func newLexer(text []byte) *lexer { return &lexer{text: text, line: 1} }

// next reads up to the end of a directive, which is a semicolon, or a brace that opens or closes a block; 0 is the end.
func (l *lexer) next() (words []string, line int, end byte) {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; c {
		case ' ', '\t', '\r':
			l.at++
		case '\n':
			l.at++
			l.line++
		case '#':
			l.skipLine()
		case ';', '{', '}':
			l.at++

			return words, max(line, 1), c
		default:
			if len(words) == 0 {
				line = l.line
			}

			if word := l.word(); len(words) < maxWords {
				words = append(words, word)
			}
		}
	}

	return words, max(line, 1), 0
}

func (l *lexer) skipLine() {
	for l.at < len(l.text) && l.text[l.at] != '\n' {
		l.at++
	}
}

// word reads one word, with its quotes and what a backslash hides.
func (l *lexer) word() string {
	var (
		b        strings.Builder
		quote    byte
		variable bool
	)

	if c := l.text[l.at]; c == '"' || c == '\'' {
		quote = c
		l.at++
	}

	for ; l.at < len(l.text); l.at++ {
		c := l.text[l.at]

		switch {
		case c == quote && quote != 0:
			l.at++

			return b.String()
		case quote == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';' || c == '{' && !variable):
			return b.String()
		case c == '\\' && l.at+1 < len(l.text):
			l.at++
			c = l.escaped(&b)
		}

		if l.text[l.at] == '\n' {
			l.line++
		}

		// A brace right behind a dollar belongs to the name of a variable.
		variable = c == '$'

		if b.Len() < maxWord {
			b.WriteByte(c)
		}
	}

	return b.String()
}

// escaped is what stands behind a backslash, which stays where nginx knows no meaning for it.
func (l *lexer) escaped(b *strings.Builder) byte {
	switch c := l.text[l.at]; c {
	case '"', '\'', '\\':
		return c
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'n':
		return '\n'
	default:
		if b.Len() < maxWord {
			b.WriteByte('\\')
		}

		return c
	}
}
