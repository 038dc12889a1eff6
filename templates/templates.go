// Package templates makes what is derived from the hand-written Zabbix 7.0 templates: their 6.0 form and the tables of the README.
package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"zabbix-agent2-plugin-hosting/templates/convert"
	"zabbix-agent2-plugin-hosting/templates/export"
	"zabbix-agent2-plugin-hosting/templates/readme"
)

const readmeName = "README.md"

// Generate returns the content of every generated file in the templates folder dir, by its path there.
func Generate(dir string) (map[string][]byte, error) {
	sources, err := filepath.Glob(filepath.Join(dir, "7.0", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("cannot list the 7.0 templates: %w", err)
	}

	if len(sources) == 0 {
		return nil, fmt.Errorf("cannot find 7.0/*.yaml in %q: run from the top of the repository", dir)
	}

	generated := make(map[string][]byte)

	var sections []byte

	for _, source := range slices.Sorted(slices.Values(sources)) {
		older, section, err := derive(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}

		generated[filepath.Join("6.0", filepath.Base(source))] = older
		sections = append(sections, section...)
	}

	current, err := os.ReadFile(filepath.Join(dir, readmeName))
	if err != nil {
		return nil, fmt.Errorf("cannot read the README: %w", err)
	}

	generated[readmeName], err = readme.Replace(current, sections)

	return generated, err
}

// derive returns a template's 6.0 form and its section of the README.
func derive(path string) (older, section []byte, err error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}

	if older, err = convert.To60(source); err != nil {
		return nil, nil, err
	}

	file, err := export.Parse(source)
	if err != nil {
		return nil, nil, err
	}

	return older, readme.Sections(file, filepath.Base(path)), nil
}
