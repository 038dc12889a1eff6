// Package kernelsource tells where in the kernel's source a place in its code is, where the debug symbols of the running kernel are installed. They
// are read as they are asked for: of the 600 MB of a kernel's some ten, and nothing where no debug symbols are.
package kernelsource

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// maxKnown is how many frames are remembered, some 100 bytes each.
const maxKnown = 10_000

// Finder finds lines. It is safe for concurrent use.
type Finder struct {
	host host

	mu sync.Mutex
	// known are the lines of frames, by the build that they are of; an empty one is not known by the symbols either.
	known map[key]string
	// tree is the folder that the kernel was built of, with a slash, once it was found.
	tree string
}

type key struct{ build, frame string }

// New looks for debug symbols below a root directory, for the kernel that /proc and /sys tell of.
func New(root, procPath, sysPath string) *Finder {
	return &Finder{host: host{root, procPath, sysPath}, known: make(map[key]string)}
}

// Lines are what Find found.
type Lines struct {
	// Reason says in a sentence why lines are missing; it is empty where none are, or no symbols would help.
	Reason string

	lines map[string]string
}

// Of gives the lines of a stack's frames, "mm/slab_common.c:1062", the innermost of inlined functions; a frame's is empty where it is not
// known, and all is nil where none is.
func (l Lines) Of(stack []string) []string {
	all := make([]string, len(stack))
	some := false

	for i, text := range stack {
		all[i] = l.lines[text]
		some = some || all[i] != ""
	}

	if !some {
		return nil
	}

	return all
}

// Find finds the lines of all frames of some stacks, as the kernel writes them ("kmalloc_trace+0x21/0x90", "leak_cache+0x24/0x70 [leakmod]"). When the time
// is over it stops; what is missing is found when it is asked for again.
func (f *Finder) Find(limit time.Duration, stacks ...[]string) Lines {
	f.mu.Lock()
	defer f.mu.Unlock()

	s := search{Finder: f, until: time.Now().Add(limit), lines: make(map[string]string)}

	wanted := byModule(stacks)
	if len(wanted) == 0 {
		return Lines{}
	}

	s.all(wanted)

	return Lines{Reason: strings.Join(s.reasons, "; "), lines: s.lines}
}

// byModule are the frames of some stacks, each once; those of the kernel itself are of the module "".
func byModule(stacks [][]string) map[string][]string {
	seen := make(map[string]bool)
	all := make(map[string][]string)

	for _, stack := range stacks {
		for _, text := range stack {
			if parsed, ok := parseFrame(text); ok && !seen[text] {
				seen[text] = true
				all[parsed.module] = append(all[parsed.module], text)
			}
		}
	}

	return all
}

// search is one call of Find.
type search struct {
	*Finder

	until   time.Time
	release string
	modules map[string]string // their files, once they were looked for
	lines   map[string]string
	reasons []string
	late    bool
}

// maxReasons is how many are told.
const maxReasons = 3

func (s *search) because(reason string) {
	if len(s.reasons) < maxReasons && !slices.Contains(s.reasons, reason) {
		s.reasons = append(s.reasons, reason)
	}
}

// all looks for the frames of the kernel first, and then for those of the modules.
func (s *search) all(wanted map[string][]string) {
	var err error
	if s.release, err = procfile.Release(s.host.procPath); err != nil {
		s.because(err.Error())

		return
	}

	var missing []string

	for _, module := range sorted(wanted) {
		err := s.of(module, wanted[module])

		switch {
		case errors.As(err, &notInstalled{}) && module == "":
			s.because(fmt.Sprintf("the debug symbols of the kernel %s are not installed: apt install linux-image-%s-dbg, or dnf debuginfo-install kernel-%s", s.release, s.release, s.release))

			// The modules' are not there either, and looking for them is what takes time.
			return
		case errors.As(err, &notInstalled{}):
			missing = append(missing, module)
		case err != nil:
			s.because(err.Error())
		}
	}

	if len(missing) > 0 {
		s.because("debug symbols are not installed of " + strings.Join(missing, ", "))
	}

	if s.late {
		s.because("it takes longer than a report may: the next has more")
	}
}
