package conf

import (
	"io/fs"
	"path"
	"slices"
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
	w.addWay(name)

	for _, file := range w.glob(name) {
		w.file("/"+file, block, depth+1)
	}
}

// glob finds what glob(3) would, as names inside the root.
func (w *walker) glob(name string) []string {
	// It negates with an exclamation mark.
	pattern := inside(strings.ReplaceAll(name, "[!", "[^"))

	found, err := fs.Glob(w.fsys, pattern)
	if err != nil {
		w.problems.Addf("cannot look for %s: %v", name, reason(err))
	}

	return slices.DeleteFunc(found, func(file string) bool { return hidden(pattern, file) })
}

// addWay notes the directories in which a pattern looks: the one above its first wildcard, and those that a pattern
// with further names leads through, in which a file may appear at any time.
func (w *walker) addWay(pattern string) {
	w.addDirectory(path.Dir(pattern[:strings.IndexAny(pattern, wildcards)] + "x"))

	for at, c := range pattern {
		way := pattern[:at]
		if c != '/' || !strings.ContainsAny(way, wildcards) {
			continue
		}

		for _, found := range w.glob(way) {
			if info, err := fs.Stat(w.fsys, found); err == nil && info.IsDir() {
				w.addDirectory("/" + found)
			}
		}
	}
}

// addPackages notes the directories of a search path of Lua: "/a/?.lua;$prefix/b/?/init.lua;;".
func (w *walker) addPackages(search string) {
	search = strings.NewReplacer("${prefix}", w.prefix, "$prefix", w.prefix).Replace(search)

	for template := range strings.SplitSeq(search, ";") {
		if above, _, found := strings.Cut(template, "?"); found {
			// Relative ones are of the directory that nginx is started in.
			w.addDirectory(absolute("/", path.Dir(above+"x")))
		}
	}
}

func (w *walker) addDirectory(dir string) {
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
