package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// notSeen stands for the line of an option that is not there.
const notSeen = -1

// groupNames have no dot, as it separates the parts of an option, and no dash, which the agent's configuration does not take.
var groupNames = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// NamedOption describes one option of a T, below Plugins.Hosting.<node>.<name>.
type NamedOption[T any] struct {
	Name        string
	Default     string
	Allowed     string // in words
	Description string
	required    bool
	repeatable  bool
	// public is what of a value may be told; nil where it holds no secret.
	public func(string) string
	set    func(*T, string) error
}

// show is the value as an error may have it.
func (o NamedOption[T]) show(value string) string {
	if o.public == nil {
		return value
	}

	return o.public(value)
}

// named is how things of one kind, of which the configuration may hold many by name, are configured.
type named[T any] struct {
	node    string // such as Sites
	noun    string // such as site
	options []NamedOption[T]
	first   func(name string) T // before any option is set
	name    func(T) string
}

// parse returns the things in the order of their names, and the settings that are none of theirs.
func (n named[T]) parse(settings []setting) ([]T, []setting, error) {
	var others []setting

	byName := make(map[string][]setting)

	for _, s := range settings {
		rest, ok := strings.CutPrefix(s.name, n.node+".")
		if !ok {
			others = append(others, s)

			continue
		}

		dot := strings.LastIndexByte(rest, '.')
		if dot < 0 || !groupNames.MatchString(rest[:dot]) {
			return nil, nil, fmt.Errorf("cannot use option Plugins.%s.%s (line %d): write it as Plugins.%s.%s.<name>.<option>, "+
				"a name having 1 to 64 letters, digits and _, but no dot", Section, s.name, s.line, Section, n.node)
		}

		byName[rest[:dot]] = append(byName[rest[:dot]], setting{name: rest[dot+1:], value: s.value, line: s.line})
	}

	all := make([]T, 0, len(byName))

	for name, settings := range byName {
		one, err := n.parseOne(name, settings)
		if err != nil {
			return nil, nil, err
		}

		all = append(all, one)
	}

	slices.SortFunc(all, func(a, b T) int { return strings.Compare(n.name(a), n.name(b)) })

	return all, others, nil
}

func (n named[T]) parseOne(name string, settings []setting) (T, error) {
	path := "Plugins." + Section + "." + n.node + "." + name + "."
	parsed := n.first(name)

	var names []string

	for _, option := range n.options {
		names = append(names, option.Name)
	}

	for _, s := range settings {
		if !slices.Contains(names, s.name) {
			return parsed, unknownOption(path, s, names)
		}
	}

	for _, option := range n.options {
		if err := n.set(&parsed, option, path, settings); err != nil {
			return parsed, err
		}
	}

	return parsed, nil
}

// unknownOption names the options that there are, or the one that differs in case only.
func unknownOption(path string, s setting, known []string) error {
	for _, name := range known {
		if strings.EqualFold(name, s.name) {
			return fmt.Errorf("cannot use option %s%s (line %d): there is no option %s; names are case-sensitive: write %s", path, s.name, s.line, s.name, name)
		}
	}

	return fmt.Errorf("cannot use option %s%s (line %d): there is no such option; known are %s", path, s.name, s.line, strings.Join(known, ", "))
}

// set gives one option all the values that the settings have for it.
func (n named[T]) set(parsed *T, option NamedOption[T], path string, settings []setting) error {
	seen := notSeen

	for _, s := range settings {
		if s.name != option.Name {
			continue
		}

		if seen != notSeen && !option.repeatable {
			return fmt.Errorf("cannot use option %s%s=%s (line %d): it stands in line %d already; is there another %s of this name?",
				path, s.name, option.show(s.value), s.line, seen, n.noun)
		}

		seen = s.line

		if err := option.set(parsed, s.value); err != nil {
			return option.refuse(path, s, err)
		}
	}

	if option.required && seen == notSeen {
		return fmt.Errorf("cannot use options %s* (line %d): the %s needs %s%s", path, settings[0].line, n.noun, path, option.Name)
	}

	return nil
}

// refuse names the option, its value, what is allowed and, where there is more to say, why.
func (o NamedOption[T]) refuse(path string, s setting, err error) error {
	why, shown := "", o.show(s.value)
	// Why it is wrong may quote the secret.
	if !errors.Is(err, errNotAllowed) && shown == s.value {
		why = " (" + err.Error() + ")"
	}

	return fmt.Errorf("cannot use option %s%s=%s (line %d): allowed is %s%s", path, o.Name, shown, s.line, o.Allowed, why)
}
