// Package e2e proves the packages on a machine with a real systemd: installed beside Debian's zabbix-agent2 and nginx, upgraded, removed, rebooted,
// and attacked. Its tests run with `make e2e-systemd`.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
)

// Agent is a release of Zabbix agent 2 that Debian 12 has.
type Agent struct{ Version, suite string }

// Agents are all that the packages are for.
func Agents() []Agent { return []Agent{{"6.0", "bookworm"}, {"7.0", "bookworm-backports"}} }

// Deb returns the agent's package.
func (a Agent) Deb() (string, error) {
	lists, err := builddir.Path("apt")
	if err != nil {
		return "", err
	}
	debs, err := debian.Open(lists).Download(a.suite, "zabbix-agent2")
	if err != nil {
		return "", err
	}
	return debs[0], nil
}

const product = "zabbix-agent2-plugin-hosting"

// Package returns the product's package for this machine's processor, which `make packages` makes.
func Package() (string, error) {
	pattern, err := builddir.Path("packages", product+"_*_"+runtime.GOARCH+".deb")
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("cannot find the package: %d files match %s, 1 is expected; run make packages", len(found), pattern)
	}
	return found[0], nil
}

// Build compiles a program of the repository and returns its path under build/e2e. The version is what it calls itself where it does so.
func Build(sources, version string) (string, error) {
	root, err := builddir.Root()
	if err != nil {
		return "", err
	}
	program := filepath.Join(root, "build", "e2e", version, path.Base(sources))
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", program, "./"+sources)
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build a program: go build: %w (%s); mend %s", err, output, sources)
	}
	return program, nil
}
