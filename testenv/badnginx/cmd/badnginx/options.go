package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

const (
	defaultPrefix = "/etc/nginx"
	defaultConf   = defaultPrefix + "/nginx.conf"
)

// options are what nginx(8) takes, with absolute paths.
type options struct {
	test, dump, quiet, showVersion, showBuild bool
	prefix, conf, globals                     string
}

// parseOptions reads letters as nginx does: several may follow one dash, and a value follows its letter with or without a blank.
func parseOptions(arguments []string, v version) (options, error) {
	o := options{prefix: defaultPrefix, conf: defaultConf}
	values := map[rune]*string{'p': &o.prefix, 'c': &o.conf, 'g': &o.globals}
	if v.knowsLogOption() {
		// What a test logs goes to its standard error anyway.
		values['e'] = new(string)
	}
	for len(arguments) > 0 {
		letters, dash := strings.CutPrefix(arguments[0], "-")
		if !dash || letters == "" {
			return o, fmt.Errorf("invalid option: %q", arguments[0])
		}
		arguments = arguments[1:]
		for i, letter := range letters {
			value, takesValue := values[letter]
			if !takesValue {
				if !o.set(letter) {
					return o, fmt.Errorf("invalid option: %q", string(letter))
				}
				continue
			}
			*value = letters[i+1:]
			if *value == "" {
				if len(arguments) == 0 {
					return o, fmt.Errorf("option %q requires a value", "-"+string(letter))
				}
				*value, arguments = arguments[0], arguments[1:]
			}
			break
		}
	}
	o.conf = absolute(o.prefix, o.conf)
	return o, nil
}

func (o *options) set(letter rune) bool {
	switch letter {
	case 't':
		o.test = true
	case 'T':
		o.test, o.dump = true, true
	case 'q':
		o.quiet = true
	case 'v':
		o.showVersion = true
	case 'V':
		o.showVersion, o.showBuild = true, true
	default:
		return false
	}
	return true
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
