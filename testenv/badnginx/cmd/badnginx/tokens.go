package main

import (
	"fmt"
	"strings"
)

// directive is one statement; children are those in its braces.
type directive struct {
	words    []string
	line     int
	children []directive
}

// reader splits nginx's configuration language into directives.
type reader struct {
	path string
	text string
	line int
}

func (r *reader) fail(format string, values ...any) error {
	return fmt.Errorf(format+" in %s:%d", append(values, r.path, r.line)...)
}

// directives reads up to the brace that closes the block, or the end of the file.
func (r *reader) directives(inBlock bool) ([]directive, error) {
	var all []directive
	var d directive
	for {
		switch token, word := r.next(); {
		case token == "":
			if len(d.words) > 0 {
				return nil, r.fail(`unexpected end of file, expecting ";" or "}"`)
			}
			if inBlock {
				return nil, r.fail(`unexpected end of file, expecting "}"`)
			}
			return all, nil
		case word:
			d.words, d.line = append(d.words, token), r.line
		case token == "}":
			if len(d.words) > 0 || !inBlock {
				return nil, r.fail(`unexpected "}"`)
			}
			return all, nil
		case len(d.words) == 0:
			return nil, r.fail("unexpected %q", token)
		default:
			if token == "{" {
				var err error
				if d.children, err = r.directives(true); err != nil {
					return nil, err
				}
			}
			all, d = append(all, d), directive{}
		}
	}
}

// next returns a word without its quotes, or one of ; { } or at the end nothing.
func (r *reader) next() (token string, word bool) {
	r.skip()
	if r.text == "" {
		return "", false
	}
	if first := r.text[0]; strings.IndexByte(";{}", first) >= 0 {
		return r.take(1), false
	}
	if quote := r.text[0]; quote == '"' || quote == '\'' {
		if end := strings.IndexByte(r.text[1:], quote); end >= 0 {
			return r.take(end + 2)[1 : end+1], true
		}
		return r.take(len(r.text)), true
	}
	length := 0
	for length < len(r.text) && strings.IndexByte(" \t\r\n;", r.text[length]) < 0 {
		// A brace belongs to a word only where it names a variable: ${name}.
		if r.text[length] == '{' && r.text[length-1] != '$' {
			break
		}
		length++
	}
	return r.take(length), true
}

// skip passes over blanks and comments.
func (r *reader) skip() {
	for r.text != "" {
		switch first := r.text[0]; {
		case first == '#':
			end := strings.IndexByte(r.text, '\n')
			if end < 0 {
				end = len(r.text)
			}
			r.take(end)
		case strings.IndexByte(" \t\r\n", first) >= 0:
			r.take(1)
		default:
			return
		}
	}
}

func (r *reader) take(length int) string {
	taken := r.text[:length]
	r.text = r.text[length:]
	r.line += strings.Count(taken, "\n")
	return taken
}
