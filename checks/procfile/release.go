package procfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Release is what uname -r prints, a name that files of the kernel have.
func Release(procPath string) (string, error) {
	text, err := os.ReadFile(filepath.Join(procPath, "sys/kernel/osrelease"))
	if err != nil {
		return "", fmt.Errorf("cannot tell which kernel runs: %w", err)
	}

	release := strings.TrimSpace(string(text))
	if release == "" || strings.ContainsAny(release, "/\x00") || release[0] == '.' {
		return "", fmt.Errorf("cannot tell which kernel runs: its release is %q", release)
	}

	return release, nil
}
