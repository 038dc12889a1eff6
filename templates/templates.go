// Package templates makes what is derived from the hand-written Zabbix 7.0 templates: their other forms, for active checks and for 6.0, and
// the generated part of the README.
package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/templates/convert"
	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/templates/readme"
)

const (
	readmeName   = "README.md"
	activeEnding = "_active.yaml"
)

// Sources returns the paths of the hand-written templates in the templates folder dir, sorted.
func Sources(dir string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "7.0", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("cannot list the 7.0 templates: %w", err)
	}

	found = slices.DeleteFunc(found, func(path string) bool { return strings.HasSuffix(path, activeEnding) })
	if len(found) == 0 {
		return nil, fmt.Errorf("cannot find 7.0/*.yaml in %q: run from the top of the repository", dir)
	}

	return found, nil
}

// Generate returns the content of every generated file in the templates folder dir, by its path there.
func Generate(dir string) (map[string][]byte, error) {
	sources, err := Sources(dir)
	if err != nil {
		return nil, err
	}

	generated := make(map[string][]byte)

	var documented []readme.Template

	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read a template: %w", err)
		}

		name := filepath.Base(path)

		names, err := addForms(generated, name, source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}

		file, err := export.Parse(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}

		documented = append(documented, readme.Template{File: file, Names: names})
	}

	current, err := os.ReadFile(filepath.Join(dir, readmeName))
	if err != nil {
		return nil, fmt.Errorf("cannot read the README: %w", err)
	}

	sections, err := readme.Sections(documented)
	if err != nil {
		return nil, err
	}

	generated[readmeName], err = readme.Replace(current, sections)

	return generated, err
}

// addForms adds the three forms that are made of the hand-written template, or the one where it asks the agent nothing, and returns the
// names of the files in each version's folder.
func addForms(generated map[string][]byte, name string, source []byte) ([]string, error) {
	passive, err := convert.Read(source)
	if err != nil {
		return nil, err
	}

	if generated[filepath.Join("6.0", name)], err = encode60(passive, name); err != nil {
		return nil, err
	}

	active, err := convert.Read(source)
	if err != nil {
		return nil, err
	}

	polls, err := active.ToActive()
	if err != nil || !polls {
		return []string{name}, err
	}

	activeName := strings.TrimSuffix(name, ".yaml") + activeEnding
	if generated[filepath.Join("7.0", activeName)], err = active.Encode(name); err != nil {
		return nil, err
	}

	generated[filepath.Join("6.0", activeName)], err = encode60(active, name)

	return []string{name, activeName}, err
}

func encode60(template *convert.Template, name string) ([]byte, error) {
	if err := template.To60(); err != nil {
		return nil, err
	}

	return template.Encode(name)
}
