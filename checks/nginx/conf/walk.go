// Package conf reads an nginx configuration without nginx: what it listens on, which files and modules it takes. It
// understands enough for a hint where nothing can be run safely, and forgives what nginx would refuse.
package conf

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	maxDepth   = 32
	maxFiles   = 100_000
	maxFile    = 16 << 20
	maxTotal   = 256 << 20
	maxListens = 4096
	// maxPaths bounds the modules, and the scripts.
	maxPaths = 256
)

// Result is what a configuration holds.
type Result struct {
	// Listens are the addresses, each once, in the order of the files.
	Listens        []Listen
	ListensOmitted int
	// User is the user directive; its Words are empty where there is none.
	User Directive
	// Modules are the paths of load_module, absolute.
	Modules []string
	// Files are the configuration files, those too that could not be read.
	Files []string
	// Directories are those in which files are looked for by a pattern or by a name, also those that the pattern leads through.
	Directories []string
	// Scripts are the files with Lua, Perl or JavaScript that nginx may run while it reads its configuration.
	Scripts []string
	// Incomplete says that a limit was met: there is more than this.
	Incomplete bool
	// Problems are sentences on what could not be read.
	Problems []string
}

// Walk reads a configuration file and all that it includes. The root of fsys is nginx's root directory, on a real system
// Host(); config and prefix are absolute. The directives are those of nginx's command line (-g).
func Walk(fsys fs.FS, config, prefix string, directives ...string) *Result {
	w := walker{
		fsys: fsys, dir: path.Dir(config), prefix: prefix, left: maxTotal,
		seen: map[visit]bool{}, files: map[string]bool{}, listens: map[Listen]int{}, directories: map[string]bool{},
	}

	for _, text := range directives {
		w.text([]byte(text), commandLine, "", 0)
	}

	w.file(config, "", 0)
	w.result.Problems = w.problems.List()

	return &w.result
}

// commandLine stands for a file where a directive is in none.
const commandLine = "the command line"

// visit is a file in a kind of block: it may be included in several.
type visit struct{ file, block string }

type walker struct {
	fsys   fs.FS
	dir    string
	prefix string
	// left is how many bytes may still be read.
	left        int64
	seen        map[visit]bool
	files       map[string]bool
	listens     map[Listen]int
	directories map[string]bool
	problems    procfile.Problems
	result      Result
}

// file reads one file whose text stands in a block of that name, "" for the main context.
func (w *walker) file(name, block string, depth int) {
	if w.seen[visit{name, block}] {
		return
	}

	if depth > maxDepth || len(w.seen) >= maxFiles {
		w.result.Incomplete = true

		return
	}

	w.seen[visit{name, block}] = true

	if !w.files[name] {
		w.files[name] = true
		w.result.Files = append(w.result.Files, name)
	}

	text, err := w.read(name)
	if err != nil {
		w.problems.Addf("cannot read %s: %v", name, err)

		return
	}

	w.text(text, name, block, depth)
}

// text takes the directives of a file. A block that the file does not end ends with it.
func (w *walker) text(text []byte, name, outer string, depth int) {
	var blocks []string

	block := outer

	for l := newLexer(text); ; {
		words, line, end := l.next()
		d := Directive{Words: words, File: name, Line: line}

		switch end {
		case 0:
			return
		case ';':
			w.take(d, block, depth)
		case '{':
			if strings.HasSuffix(d.Name(), "_by_lua_block") {
				l.skipLua()

				continue
			}

			blocks = append(blocks, block)
			block = d.Name()
		case '}':
			if n := len(blocks); n > 0 {
				block, blocks = blocks[n-1], blocks[:n-1]
			}
		}
	}
}

func (w *walker) take(d Directive, block string, depth int) {
	switch name := d.Name(); {
	case len(d.Words) < 2:
	case name == "include":
		w.include(d.Words[1], block, depth)
	case name == "listen" && block == "server":
		for _, l := range parseListen(d) {
			w.addListen(l)
		}
	case name == "user" && block == "":
		w.result.User = d
	case name == "load_module" && block == "":
		w.addPath(&w.result.Modules, absolute(w.prefix, d.Words[1]))
	case strings.HasSuffix(name, "_by_lua_file") || name == "perl_require" && strings.Contains(d.Words[1], "/"):
		w.addPath(&w.result.Scripts, absolute(w.prefix, d.Words[1]))
	case name == "perl_modules" || name == "js_path":
		w.addDirectory(absolute(w.prefix, d.Words[1]))
	case name == "lua_package_path" || name == "lua_package_cpath":
		w.addPackages(d.Words[1])
	case name == "js_import" || name == "js_include":
		w.addPath(&w.result.Scripts, absolute(w.dir, d.Words[len(d.Words)-1]))
	}
}

func (w *walker) addPath(list *[]string, path string) {
	switch {
	case slices.Contains(*list, path):
	case len(*list) == maxPaths:
		w.result.Incomplete = true
	default:
		*list = append(*list, path)
	}
}

func (w *walker) addListen(l Listen) {
	at, known := w.listens[l.key()]

	switch {
	case known && l.ReusePort && !w.result.Listens[at].ReusePort:
		w.result.Listens[at] = l
	case known:
	case len(w.result.Listens) == maxListens:
		w.result.ListensOmitted++
	default:
		w.listens[l.key()] = len(w.result.Listens)
		w.result.Listens = append(w.result.Listens, l)
	}
}
