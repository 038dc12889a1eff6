package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
)

// tidy gets modules and tidies go.mod and go.sum of the repository at root.
// `go get` and `go mod tidy` do not look at go.work, so where build/sdk stands in for the SDK they work on copies whose go.mod replaces it:
// the repository's own files are written only when all went well, and never with the replacement.
func tidy(root string, modules []string, out io.Writer) error {
	mod, err := readGoMod(root)
	if err != nil {
		return err
	}
	pinned, err := mod.version(sdkModule)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return fmt.Errorf("cannot read go.sum: %w; restore it", err)
	}
	sdkSums := sumsOf(string(sums), pinned)
	if len(sdkSums) != 2 {
		return fmt.Errorf("cannot keep the SDK's checksums: go.sum has %d lines of %s %s, 2 are expected; restore go.sum", len(sdkSums), sdkModule, pinned)
	}
	dir, err := os.MkdirTemp(filepath.Join(root, "build"), "tidy")
	if err != nil {
		return fmt.Errorf("cannot make copies of go.mod and go.sum: %w; run this as the owner of the repository", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := tidyCopies(root, dir, pinned, modules); err != nil {
		return err
	}
	tidied, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return fmt.Errorf("cannot read the tidied go.sum: %w; try again", err)
	}
	content := withSums(string(tidied), sdkSums)
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte(content), 0o644); err != nil {
		return fmt.Errorf("cannot write the tidied go.sum: %w; free space on the disk", err)
	}
	for _, name := range []string{"go.sum", "go.mod"} {
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(root, name)); err != nil {
			return fmt.Errorf("cannot replace %s: %w; restore go.mod and go.sum, and try again", name, err)
		}
	}
	fmt.Fprintln(out, "go.mod and go.sum are tidy")
	return nil
}

// tidyCopies leaves in dir what go.mod and go.sum of root are to become.
func tidyCopies(root, dir, pinned string, modules []string) error {
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("cannot copy %s: %w; free space on the disk", name, err)
		}
	}
	copied := filepath.Join(dir, "go.mod")
	steps := [][]string{{"mod", "tidy", "-modfile=" + copied}}
	if len(modules) > 0 {
		steps = slices.Insert(steps, 0, append([]string{"get", "-modfile=" + copied}, modules...))
	}
	if builddir.Complete(filepath.Join(root, "build", "sdk"), pinned) {
		steps = slices.Insert(steps, 0, []string{"mod", "edit", "-replace=" + sdkModule + "=./build/sdk", copied})
		steps = append(steps, []string{"mod", "edit", "-dropreplace=" + sdkModule, copied})
	}
	for _, step := range steps {
		if _, err := goCommand(context.Background(), root, step...); err != nil {
			return fmt.Errorf("cannot tidy: %w; go.mod and go.sum are as they were", err)
		}
	}
	mod, err := goCommand(context.Background(), root, "mod", "edit", "-json", copied)
	if err == nil && !strings.Contains(string(mod), pinned) {
		err = errors.New("its line is gone or changed; import it, or pin another version by hand")
	}
	if err != nil {
		return fmt.Errorf("cannot keep %s %s in go.mod: %w; go.mod and go.sum are as they were", sdkModule, pinned, err)
	}
	return nil
}

// sumsOf returns the lines of go.sum for the SDK.
func sumsOf(sums, version string) []string {
	var lines []string
	for line := range strings.Lines(sums) {
		if strings.HasPrefix(line, sdkModule+" "+version+" ") || strings.HasPrefix(line, sdkModule+" "+version+"/go.mod ") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// withSums adds the lines that go.sum lacks, in its order.
func withSums(sums string, lines []string) string {
	all := append(strings.Split(strings.TrimSpace(sums), "\n"), lines...)
	slices.Sort(all)
	return strings.TrimLeft(strings.Join(slices.Compact(all), "\n")+"\n", "\n")
}
