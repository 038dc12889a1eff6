package kernels

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// System is a Debian with systemd that a machine boots, all of it in memory.
type System struct {
	// Tree is its directory on this machine.
	Tree string
	// Files are further ones of this machine, which the tests find in Inside by their names.
	Files []string
}

// Inside is where a test finds the files that it brought.
const Inside = "/package"

// BootArgument has the first process of a machine leave the rest to systemd.
const BootArgument = "boot"

const (
	unitName = "package.service"
	// bootLimit is what a machine may take to boot and to switch itself off.
	bootLimit = 5 * time.Minute
)

// BootT boots a system with another kernel and runs the calling test there again, as a service that is started after all others, where Emulated is true.
// It fails where that does, and returns what it printed. The binary must be static, as CGO_ENABLED=0 makes it.
func BootT(tb testing.TB, v Version, s System, limit time.Duration) string {
	tb.Helper()

	m := machine{version: v, arguments: BootArgument, fill: func(a *archive, test string) { s.add(a, test, unit(topOf(tb), limit)) }}

	output, err := m.run(tb.TempDir(), limit+bootLimit)
	if err != nil {
		tb.Fatalf("%v\n%s", err, output)
	}

	return output
}

func (s *System) add(a *archive, test, unit string) {
	a.tree("/", s.Tree)
	addTest(a, test)

	for _, path := range s.Files {
		a.program(filepath.Join("package", filepath.Base(path)), path)
	}

	const units = "etc/systemd/system/"

	a.text(units+unitName, unit)
	a.directory(units + "multi-user.target.wants")
	a.add(entry{name: units + "multi-user.target.wants/" + unitName, mode: syscall.S_IFLNK | 0o777}, []byte("../"+unitName))
}

// unit runs the test on the console and switches the machine off.
func unit(test string, limit time.Duration) string {
	return fmt.Sprintf(`[Unit]
After=nginx.service
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
WorkingDirectory=%[1]s
Environment=%[2]s
ExecStart=%[1]s/test -test.v -test.timeout=%[3]s -test.run=^%[4]s$$
ExecStartPost=/bin/echo %[5]s
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
`, Inside, strings.Join(Environment(), " "), limit, test, Passed)
}
