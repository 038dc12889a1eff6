package keys

import (
	"errors"
	"fmt"
	"strings"
)

var errKeySyntax = errors.New(`write it as name or name[parameter,"quoted parameter"]`)

// ParseItemKey splits an item key as Zabbix writes it into name and parameters. Arrays as parameters are not taken, since
// no key here has them.
func ParseItemKey(text string) (name string, parameters []string, err error) {
	name, rest, bracket := strings.Cut(strings.TrimSpace(text), "[")
	if name == "" || strings.ContainsAny(name, " \t\"],") {
		return "", nil, fmt.Errorf("cannot read item key %q: %w", text, errKeySyntax)
	}

	if !bracket {
		return name, nil, nil
	}

	inner, ok := strings.CutSuffix(rest, "]")
	if !ok {
		return "", nil, fmt.Errorf("cannot read item key %q: the closing bracket is missing: %w", text, errKeySyntax)
	}

	for {
		parameter, more, rest, err := cutParameter(inner)
		if err != nil {
			return "", nil, fmt.Errorf("cannot read item key %q: %w: %w", text, err, errKeySyntax)
		}

		parameters = append(parameters, parameter)
		if !more {
			return name, parameters, nil
		}

		inner = rest
	}
}

// cutParameter takes one parameter off the front and tells whether a comma, and so another parameter, follows.
func cutParameter(text string) (parameter string, more bool, rest string, err error) {
	text = strings.TrimLeft(text, " ")

	if !strings.HasPrefix(text, `"`) {
		parameter, rest, more = strings.Cut(text, ",")
		if strings.ContainsAny(parameter, "[]") {
			return "", false, "", errors.New("a bracket stands inside a parameter")
		}

		return parameter, more, rest, nil
	}

	var value strings.Builder

	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			value.WriteByte('"')

			i++
		case text[i] == '"':
			rest = strings.TrimLeft(text[i+1:], " ")
			if rest == "" {
				return value.String(), false, "", nil
			}

			rest, more = strings.CutPrefix(rest, ",")
			if !more {
				return "", false, "", errors.New("something follows a closing quote")
			}

			return value.String(), true, rest, nil
		default:
			value.WriteByte(text[i])
		}
	}

	return "", false, "", errors.New("a quote is not closed")
}
