package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// goMod is the part of `go mod edit -json` that is needed here.
type goMod struct {
	Go      string
	Require []struct{ Path, Version string }
}

func readGoMod(root string) (goMod, error) {
	var mod goMod
	output, err := goCommand(context.Background(), root, "mod", "edit", "-json")
	if err != nil {
		return mod, fmt.Errorf("cannot read go.mod: %w; repair it", err)
	}
	if err := json.Unmarshal(output, &mod); err != nil {
		return mod, fmt.Errorf("cannot read go.mod: %w; update Go", err)
	}
	return mod, nil
}

// version returns the version that go.mod pins a module to.
func (m goMod) version(module string) (string, error) {
	for _, require := range m.Require {
		if require.Path == module {
			return require.Version, nil
		}
	}
	return "", fmt.Errorf("cannot tell the version of %s: go.mod does not require it; restore that line of go.mod", module)
}

// goCommand runs the go tool on the module alone, without go.work, and returns its standard output.
func goCommand(ctx context.Context, root string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOWORK=off")
	output, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		lines := strings.Split(string(bytes.TrimSpace(exit.Stderr)), "\n")
		lines = lines[max(0, len(lines)-5):]
		return nil, fmt.Errorf("go %s: %w (%s)", strings.Join(arguments, " "), err, strings.Join(lines, " | "))
	}
	return output, err
}
