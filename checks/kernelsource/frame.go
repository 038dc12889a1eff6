package kernelsource

import (
	"strconv"
	"strings"
)

// frame is a place in the kernel's code as the kernel writes it: "kmalloc_trace+0x21/0x90" or "leak_cache+0x24/0x70 [leakmod]". The size may be
// missing, and is 0 then.
type frame struct {
	function, module string
	offset, size     uint64
}

// parseFrame tells ok of a return address in a function. One at the very beginning of a function is behind a call that does not return, at the end of the
// function before, and says nothing of either.
func parseFrame(text string) (f frame, ok bool) {
	place, module, inModule := strings.Cut(text, " [")
	if inModule {
		// A build id may stand behind the name.
		f.module, _, _ = strings.Cut(strings.TrimSuffix(module, "]"), " ")
		if !isModuleName(f.module) {
			return frame{}, false
		}
	}

	at := strings.LastIndex(place, "+0x")
	if at <= 0 {
		return frame{}, false
	}

	offset, size, sized := strings.Cut(place[at+len("+0x"):], "/0x")

	var err error
	if f.offset, err = strconv.ParseUint(offset, 16, 32); err != nil || f.offset == 0 {
		return frame{}, false
	}

	if sized {
		if f.size, err = strconv.ParseUint(size, 16, 32); err != nil || f.offset > f.size {
			return frame{}, false
		}
	}

	f.function = place[:at]

	return f, true
}

// isModuleName keeps the names of files out of what was read as a module's name.
func isModuleName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}
