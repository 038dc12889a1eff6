package instance

import "strings"

const (
	flagOptions  = "?hvVtTqmMdl"
	valueOptions = "pcges"
	// testOptions are those of an nginx that only tests, prints or sends a signal.
	testOptions = "?hvVtTsmMdl"
)

// Arguments are the options of nginx's command line that a test must repeat (nginx(8)). Each is empty where not given.
type Arguments struct {
	// Config is -c and Prefix -p, as given: relative paths are relative to the prefix and the working directory.
	Config string
	Prefix string
	// Directives is -g.
	Directives string
	// ErrorLog is -e.
	ErrorLog string
}

// List is the arguments as a command line holds them.
func (a Arguments) List() []string {
	var list []string

	for _, option := range []struct{ name, value string }{
		{"-p", a.Prefix}, {"-c", a.Config}, {"-e", a.ErrorLog}, {"-g", a.Directives},
	} {
		if option.value != "" {
			list = append(list, option.name, option.value)
		}
	}

	return list
}

func (a *Arguments) set(option byte, value string) {
	switch option {
	case 'c':
		a.Config = value
	case 'p':
		a.Prefix = value
	case 'g':
		a.Directives = value
	case 'e':
		a.ErrorLog = value
	}
}

// command is a command line that was joined with blanks.
type command struct {
	program   string
	arguments Arguments
	// testing is a command that is none of a server: nginx -t, -s reload, ...
	testing bool
	// dangling is an option at the end without its value.
	dangling bool
}

// parseCommand takes apart "/usr/sbin/nginx -c /a b/nginx.conf -g daemon off; worker_processes 2;": a blank does not
// tell where an argument ends, the next option does. Program is the path of the program where it is known.
func parseCommand(text, program string) command {
	c := command{program: program}

	if rest, ok := strings.CutPrefix(text, program); ok && program != "" && (rest == "" || rest[0] == ' ') {
		text = rest
	} else {
		c.program, text = cutAtOption(text, func(string) bool { return true })
	}

	for text = strings.TrimLeft(text, " "); strings.HasPrefix(text, "-"); text = strings.TrimLeft(text, " ") {
		text = c.takeOption(text[1:])
	}

	return c
}

// takeOption reads letters up to the first that takes a value, and that value, as ngx_get_options does.
func (c *command) takeOption(text string) (rest string) {
	for len(text) > 0 && text[0] != ' ' {
		letter := text[0]
		text = text[1:]
		c.testing = c.testing || strings.IndexByte(testOptions, letter) >= 0

		if strings.IndexByte(valueOptions, letter) < 0 {
			continue
		}

		// Directives end with a semicolon or a brace; nginx does not start otherwise.
		ends := func(value string) bool {
			value = strings.TrimRight(value, " ")

			return letter != 'g' || strings.HasSuffix(value, ";") || strings.HasSuffix(value, "}")
		}

		value, rest := cutAtOption(strings.TrimPrefix(text, " "), ends)
		c.dangling = value == "" && rest == ""
		c.arguments.set(letter, value)

		return rest
	}

	return text
}

// cutAtOption cuts a text before the next option at which what stands before it may end.
func cutAtOption(text string, ends func(string) bool) (before, rest string) {
	for at := 0; ; {
		i := strings.Index(text[at:], " -")
		if i < 0 {
			return text, ""
		}

		at += i
		if isOption(text[at+1:]) && ends(text[:at]) {
			return text[:at], text[at:]
		}

		at += len(" -")
	}
}

// isOption tells whether text starts with something like "-c", "-tq", "-c/etc/nginx.conf" or "-gdaemon off;".
func isOption(text string) bool {
	word, _, _ := strings.Cut(text, " ")

	letters := strings.TrimLeft(word[1:], flagOptions)
	if letters == "" {
		return len(word) > 1
	}

	if strings.IndexByte(valueOptions, letters[0]) < 0 {
		return false
	}

	switch value := letters[1:]; {
	case value == "":
		return true
	case letters[0] == 'g':
		return value[0] >= 'a' && value[0] <= 'z'
	default:
		return letters[0] != 's' && (value[0] == '/' || value[0] == '.')
	}
}
