// Package badnginx makes doubles of nginx whose configuration test does to running servers what real versions did:
// it takes their connections or their datagrams. Each double is what its version was, and a version with no fault serves as the control.
//
// A double takes nginx's options and reads the listen directives of the configuration that it is given; it tests, and cannot serve.
// Of files it opens what the configuration names: the pid file and logs. As a static program in Go it makes system calls that no C library sees.
package badnginx

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
)

// Versions that stand for all others; every other one of three numbers is good too.
const (
	// ThiefOfConnections joins the groups of listen directives with reuseport, as 1.9.1 to 1.12.1 and 1.13.0 to 1.13.3 do. It takes datagrams too.
	ThiefOfConnections = "1.13.0"
	// ThiefOfDatagrams takes what UDP listeners are sent, as all versions below 1.21.1 do.
	ThiefOfDatagrams = "1.20.2"
	// Honest takes nothing from a server that runs. Ports that nobody uses it opens as all versions do.
	Honest = "1.22.1"
)

// Hold is the directive that has a double live longer with its sockets open, as nginx does where it has much memory to give back.
func Hold(extra time.Duration) string { return fmt.Sprintf("env BADNGINX_HOLD=%s;", extra) }

const sources = "./testenv/badnginx/cmd/badnginx"

// compile builds the one program that all doubles are copies of.
var compile = sync.OnceValues(func() (string, error) {
	root, err := builddir.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "build", "badnginx", "program")
	command := exec.Command("go", "build", "-trimpath", "-o", path, sources)
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build the double of nginx: go build: %w (%s); mend %s", err, output, sources)
	}
	return path, nil
})

// Build returns the path of the double of a version. Its last directory is the version's name, by which the double knows what it is.
func Build(version string) (string, error) {
	path, err := builddir.Path("badnginx", version, "nginx")
	if err != nil {
		return "", err
	}
	unlock, err := builddir.Lock(filepath.Join(filepath.Dir(filepath.Dir(path)), "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	compiled, err := compile()
	if err != nil {
		return "", err
	}
	if err := replace(path, compiled); err != nil {
		return "", fmt.Errorf("cannot make the double of nginx %s: %w; remove build/badnginx and try again", version, err)
	}
	return path, nil
}

// replace makes path a copy of what was compiled, in one step, as others may start it meanwhile.
func replace(path, compiled string) error {
	wanted, err := os.ReadFile(compiled)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, wanted) {
		return nil
	}
	next := path + ".new"
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.RemoveAll(next)); err != nil {
		return err
	}
	if err := os.WriteFile(next, wanted, 0o755); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// BuildT is Build for tests.
func BuildT(tb testing.TB, version string) string {
	tb.Helper()
	path, err := Build(version)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
