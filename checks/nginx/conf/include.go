package conf

import (
	"io/fs"
	"path"
	"strings"
)

// wildcards are what makes nginx take an include for a pattern (ngx_conf_include).
const wildcards = "*?["

// include reads what an include directive names, relative to the directory of the first file whichever includes it.
func (w *walker) include(name, block string, depth int) {
	name = absolute(w.dir, name)
	if !strings.ContainsAny(name, wildcards) {
		w.file(name, block, depth+1)

		return
	}

	// The same pattern finds the same files.
	if w.seen[visit{name, block}] || len(w.seen) >= maxFiles {
		return
	}

	w.seen[visit{name, block}] = true
	w.addDirectory(name)

	// glob(3) negates with an exclamation mark.
	pattern := inside(strings.ReplaceAll(name, "[!", "[^"))

	found, err := fs.Glob(w.fsys, pattern)
	if err != nil {
		w.problems.Addf("cannot look for %s: %v", name, reason(err))
	}

	for _, file := range found {
		if !hidden(pattern, file) {
			w.file("/"+file, block, depth+1)
		}
	}
}

// addDirectory notes the directory in which a pattern looks: the one above its first wildcard.
func (w *walker) addDirectory(pattern string) {
	dir := path.Dir(pattern[:strings.IndexAny(pattern, wildcards)] + "x")
	if !w.directories[dir] && len(w.directories) < maxFiles {
		w.directories[dir] = true
		w.result.Directories = append(w.result.Directories, dir)
	}
}

// hidden tells whether glob(3) would leave a name out: a wildcard does not stand for a dot at the start.
func hidden(pattern, name string) bool {
	wanted, found := strings.Split(pattern, "/"), strings.Split(name, "/")
	for i, part := range found {
		if i < len(wanted) && strings.HasPrefix(part, ".") && !strings.HasPrefix(wanted[i], ".") {
			return true
		}
	}

	return false
}
