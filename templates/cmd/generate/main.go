// Command generate rewrites what is derived from the hand-written 7.0 templates: their other forms and the generated part of
// the README.
// Run it from the top of the repository: go run ./templates/cmd/generate
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"zabbix-agent2-plugin-hosting/templates"
)

const dir = "templates"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	generated, err := templates.Generate(dir)
	if err != nil {
		return err
	}

	for name, content := range generated {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("cannot write a generated file: %w", err)
		}
	}

	return nil
}
