package hazard

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxNested is how deep commands within quotes are looked at: sh -c "su -c 'nginx -t'".
	maxNested = 3
	maxTest   = 200
	// maxWords is more than a command has that somebody wrote.
	maxWords = 1000
)

// found is what a command line holds.
type found struct {
	// test is the program and option of an ordinary test; empty where there is none.
	test string
	// paths are the files that it names by absolute paths, which may be scripts.
	paths []string
}

var (
	// program is the name of a file that is nginx or a fork of it, variable one that a script keeps it in.
	program  = regexp.MustCompile(`^(?:nginx|angie|freenginx|openresty|tengine)(?:-debug|[-_]?\d[\d.]*)?$`)
	variable = regexp.MustCompile(`^\$\{?\w*(?i:nginx|angie|openresty|tengine)\w*\}?$`)
	// assignment is NAME= before a value.
	assignment = regexp.MustCompile(`^\w+=`)
	// quoted is an option as other languages have it in a list: ["nginx", "-t"].
	quoted = regexp.MustCompile(`["']-\w*[tT]\w*["']`)
)

// others are commands for which -t, or a word like nginx, means something else.
var others = map[string]bool{
	"apt": true, "apt-get": true, "aptitude": true, "dpkg": true, "yum": true, "dnf": true, "zypper": true, "apk": true,
	"systemctl": true, "journalctl": true, "pgrep": true, "pkill": true, "killall": true, "pidof": true, "grep": true,
	"egrep": true, "fgrep": true, "zgrep": true, "echo": true, "printf": true, "logger": true, "man": true, "ls": true,
	"cat": true, "tail": true, "cp": true, "mv": true, "rm": true, "mount": true, "build": true, "buildx": true, "ssh": true,
	"[": true, "[[": true, "test": true,
}

// starters start a service's script, which tests for these words.
var (
	starters = map[string]bool{"service": true, "invoke-rc.d": true, "rc-service": true}
	verbs    = map[string]bool{"configtest": true, "checkconfig": true, "testconfig": true}
)

// parseCommand looks through a line of shell, or of what looks like it.
func parseCommand(text string) found {
	var f found

	f.take(text, 0)

	if f.test == "" && quoted.MatchString(text) {
		f.take(strings.NewReplacer("[", " ", "]", " ", ",", " ").Replace(text), 0)
	}

	return f
}

func (f *found) take(text string, depth int) {
	for _, words := range simpleCommands(text) {
		f.takeWords(words, depth)
	}
}

// takeWords looks at one simple command.
func (f *found) takeWords(words []string, depth int) {
	for i, word := range words {
		switch {
		case others[path.Base(word)]:
			return
		case strings.ContainsAny(word, " \t") && depth < maxNested:
			f.take(assignment.ReplaceAllString(word, ""), depth+1)
		case isProgram(word):
			if option := testOption(words[i+1:]); option != "" {
				f.set(word + " " + option)
			} else if strings.HasPrefix(word, "/etc/init.d/") && i+1 < len(words) && verbs[words[i+1]] {
				f.set(word + " " + words[i+1])
			}
		case starters[path.Base(word)] && i+2 < len(words) && isProgram(words[i+1]) && verbs[words[i+2]]:
			f.set(strings.Join(words[i:i+3], " "))
		case path.IsAbs(word) && !strings.ContainsAny(word, "*?["):
			f.paths = append(f.paths, path.Clean(word))
		}
	}
}

func (f *found) set(test string) {
	if f.test == "" {
		f.test = strings.ToValidUTF8(test[:min(len(test), maxTest)], "?")
	}
}

func isProgram(word string) bool {
	// sudoers forbids with an exclamation mark.
	return !strings.HasPrefix(word, "!") && (program.MatchString(path.Base(word)) || variable.MatchString(word))
}

// testOption reads nginx's options up to one that makes it test; empty where none does.
func testOption(words []string) string {
	for i := 0; i < len(words); i++ {
		letters, ok := strings.CutPrefix(words[i], "-")
		if !ok || letters == "" || letters[0] == '-' {
			return ""
		}

		at := strings.IndexAny(letters, "tTcpges")
		switch {
		case at < 0:
		case letters[at] == 't' || letters[at] == 'T':
			return "-" + letters[at:at+1]
		case letters[at] == 's':
			// Who sends a signal opens nothing.
			return ""
		case at == len(letters)-1:
			// The value is the next word.
			i++
		}
	}

	return ""
}

// simpleCommands cuts a line where a shell ends a command, into words without their quotes.
func simpleCommands(text string) [][]string {
	var (
		all   [][]string
		words []string
		word  strings.Builder
		open  bool
		quote byte
	)

	endWord := func() {
		if open && len(words) < maxWords {
			words = append(words, word.String())
		}

		word.Reset()

		open = false
	}

	for i := 0; i < len(text); i++ {
		c := text[i]

		switch {
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			open = true
			word.WriteByte(text[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, open = c, true
		case c == '#' && !open:
			i = len(text)
		case strings.IndexByte(" \t", c) >= 0:
			endWord()
		case strings.IndexByte(";|&()<>`\n", c) >= 0:
			endWord()

			all, words = append(all, words), nil
		default:
			open = true
			word.WriteByte(c)
		}
	}

	endWord()

	return slices.DeleteFunc(append(all, words), func(words []string) bool { return len(words) == 0 })
}
