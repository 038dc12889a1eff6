package instance

import (
	"errors"
	"io"
	"regexp"
	"strings"
)

const (
	// maxVersionOutput is several times what a build with every module prints.
	maxVersionOutput = 256 << 10
	maxArgument      = 4096
	maxArguments     = 64
	maxShown         = 128
)

// errNotNginx is a text without the lines of -V.
var errNotNginx = errors.New("it does not say what it is as nginx does")

// Build is what a program says of itself with -V.
type Build struct {
	Product Product
	// Text is the name and version as printed, such as "nginx/1.24.0 (Ubuntu)", at most 128 bytes.
	Text    string
	Version Version
	// Base is the version of nginx that a fork is made of, and Version itself for nginx and freenginx; empty unknown.
	// A distribution may have mended what that version had wrong.
	Base Version
	// OpenSSL is the library that it was built with, such as "OpenSSL 3.0.20 7 Apr 2026"; empty without TLS.
	OpenSSL string
	// Arguments are those of configure that name something: prefix, conf-path, error-log-path, pid-path, user, group
	// and their like. Those that choose modules and compilers are left out.
	Arguments map[string]string
}

var versionLine = regexp.MustCompile(`^(?:nginx: )?(\w+) version: ([\w.-]+)/(\d[\d.]*)(.*)`)

// ParseBuild reads the output of -V. The products print:
//
//	nginx version: nginx/1.24.0 (Ubuntu)           nginx, freenginx, OpenResty under their names
//	Tengine version: Tengine/2.2.3 (nginx/1.8.1)   Tengine up to 2.2
//	Tengine version: Tengine/2.4.1                 later ones, with nginx's line below; Angie likewise
//	built with OpenSSL 3.0.20 7 Apr 2026 (running with OpenSSL 3.0.19 27 Jan 2026)
//	configure arguments: --prefix=/usr/share/nginx --with-cc-opt='-g -O2' ...
func ParseBuild(r io.Reader) (Build, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxVersionOutput))
	if err != nil {
		return Build{}, err
	}

	var b Build

	for line := range strings.Lines(string(text)) {
		b.takeLine(strings.TrimRight(line, "\r\n"))
	}

	if b.Text == "" {
		return Build{}, errNotNginx
	}

	return b, nil
}

func (b *Build) takeLine(line string) {
	if found := versionLine.FindStringSubmatch(line); found != nil {
		b.takeVersion(found[2], ParseVersion(found[3]), found[4])
	} else if text, ok := strings.CutPrefix(line, "built with "); ok {
		text, _, _ = strings.Cut(text, " (running with ")
		b.OpenSSL = shown(text)
	} else if text, ok := strings.CutPrefix(line, "configure arguments:"); ok {
		b.Arguments = parseConfigure(text)
	}
}

// takeVersion reads a version line; the first one is the product's, a second one its base's.
func (b *Build) takeVersion(name string, v Version, rest string) {
	if b.Text != "" {
		if productOf(name) == ProductNginx {
			b.Base = v
		}

		return
	}

	b.Product, b.Version, b.Text = productOf(name), v, shown(name+"/"+v.String()+rest)

	switch b.Product {
	case ProductNginx, ProductFreenginx:
		b.Base = v
	case ProductOpenResty:
		b.Base = v[:min(len(v), 3)]
	default:
		if _, base, found := strings.Cut(rest, "(nginx/"); found {
			b.Base = ParseVersion(base)
		}
	}
}

// parseConfigure reads "--prefix=/a --with-cc-opt='-g -O2'" and leaves out what chooses modules and compilers.
func parseConfigure(text string) map[string]string {
	all := map[string]string{}

	for len(text) > 0 && len(all) < maxArguments {
		var word string
		if word, text = cutWord(text); len(word) > maxArgument {
			continue
		}

		name, value, found := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if found && strings.HasPrefix(word, "--") && !isModuleOption(name) {
			all[name] = value
		}
	}

	return all
}

func isModuleOption(name string) bool {
	return strings.HasPrefix(name, "with") || strings.HasPrefix(name, "add-")
}

// cutWord takes the next word off a line in which a shell's quotes hold words together.
func cutWord(text string) (word, rest string) {
	var (
		b     strings.Builder
		quote rune
	)

	text = strings.TrimLeft(text, " ")

	for i, r := range text {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		case quote == 0 && r == ' ':
			return b.String(), text[i+1:]
		default:
			b.WriteRune(r)
		}
	}

	return b.String(), ""
}

// Prefix is the directory that relative paths start from where the command line names none.
func (b *Build) Prefix() string {
	prefix, _, _, _ := b.Product.defaults()

	return b.argument("prefix", prefix)
}

// Config is the compiled-in configuration file, relative to the prefix where configure was told no absolute path.
func (b *Build) Config() string {
	_, config, _, _ := b.Product.defaults()

	return b.argument("conf-path", config)
}

// ErrorLog is the compiled-in error log, to which nginx writes before it has read its configuration; "stderr" for none.
func (b *Build) ErrorLog() string {
	_, _, errorLog, _ := b.Product.defaults()

	return b.argument("error-log-path", errorLog)
}

// PIDFile is the compiled-in pid file, relative to the prefix or absolute.
func (b *Build) PIDFile() string {
	_, _, _, pid := b.Product.defaults()

	return b.argument("pid-path", pid)
}

func (b *Build) argument(name, otherwise string) string {
	if value := b.Arguments[name]; value != "" {
		return value
	}

	return otherwise
}

// shown makes a text fit to be shown.
func shown(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == '\x7f' || r == '\uFFFD' {
			return '?'
		}

		return r
	}, strings.TrimSpace(text))

	return strings.ToValidUTF8(text[:min(len(text), maxShown)], "")
}
