package kernelsource

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// sorted are the modules, behind the kernel itself.
func sorted(wanted map[string][]string) []string { return slices.Sorted(maps.Keys(wanted)) }

// call is a frame with the address of its call.
type call struct {
	address uint64
	text    string
}

// of looks for the frames of the kernel, or of a module.
func (s *search) of(module string, texts []string) error {
	build, err := runningBuildID(s.host.sysPath, module)
	if err != nil {
		return err
	}

	texts = slices.DeleteFunc(texts, func(text string) bool {
		line, known := s.known[key{build, text}]
		if known {
			s.lines[text] = line
		}

		return known
	})
	if len(texts) == 0 {
		return nil
	}

	if s.late = s.late || time.Now().After(s.until); s.late {
		return nil
	}

	o, file, err := open(s.files(module), build)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()

	calls, err := s.calls(o, module, build, texts)
	if err == nil {
		err = s.read(o, build, calls)
	}

	if err != nil {
		return fmt.Errorf("cannot use %s: %w", file.Name(), err)
	}

	return nil
}

// files are where the symbols may be.
func (s *search) files(module string) []string {
	if module == "" {
		return s.host.kernelFiles(s.release)
	}

	if s.modules == nil {
		s.modules = s.host.moduleFiles(s.release)
	}

	if path := s.modules[module]; path != "" {
		return []string{path}
	}

	return nil
}

// calls finds the addresses of frames, those of one unit beside each other.
func (s *search) calls(o *object, module, build string, texts []string) ([]call, error) {
	functions := make(map[string][]symbol)
	if s.tree == "" && module == "" {
		functions[mainFunction] = nil
	}

	for _, text := range texts {
		parsed, _ := parseFrame(text)
		functions[parsed.function] = nil
	}

	if err := o.find(functions); err != nil {
		return nil, err
	}

	if err := s.findTree(o, functions[mainFunction]); err != nil {
		return nil, err
	}

	var all []call

	for _, text := range texts {
		parsed, _ := parseFrame(text)
		if address, ok := parsed.choose(functions[parsed.function]); ok {
			all = append(all, call{address, text})
		} else {
			s.keep(build, text, "")
		}
	}

	slices.SortFunc(all, func(a, b call) int { return cmp.Compare(a.address, b.address) })

	return all, nil
}

// read reads the lines of calls until the time is over, but one in any case, so that each search gets further. Of a file that is damaged in one
// unit the others are read all the same.
func (s *search) read(o *object, build string, calls []call) (damage error) {
	for i, c := range calls {
		if i > 0 && time.Now().After(s.until) {
			s.late = true

			break
		}

		line, err := o.line(c.address)
		if err != nil {
			damage = err

			continue
		}

		s.keep(build, c.text, strings.TrimPrefix(line, s.tree))
	}

	return damage
}

func (s *search) keep(build, text, line string) {
	if len(s.known) >= maxKnown {
		clear(s.known)
	}

	s.known[key{build, text}] = line
	s.lines[text] = line
}

// line is "mm/slab_common.c:1062", or empty where the symbols do not know it.
func (o *object) line(address uint64) (string, error) {
	unit, ok := o.unitOf(address)
	if !ok {
		return "", nil
	}

	t, err := o.tableFor(unit)
	if err != nil {
		return "", err
	}

	found, ok := t.find(address)
	if !ok || found.line == 0 {
		return "", nil
	}

	path, err := o.path(t, found.file)
	if err != nil {
		return "", err
	}

	return fmt.Sprintf("%s:%d", path, found.line), nil
}

// mainFunction is in mainFile of every kernel.
const (
	mainFunction = "start_kernel"
	mainFile     = "init/main.c"
)

// findTree finds the folder that the kernel was built of, which all of its files' paths begin with.
func (s *search) findTree(o *object, main []symbol) error {
	if len(main) != 1 {
		return nil
	}

	line, err := o.line(main[0].address)
	if tree, _, ok := strings.Cut(line, mainFile+":"); ok {
		s.tree = tree
	}

	return err
}
