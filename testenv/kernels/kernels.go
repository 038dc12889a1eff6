// Package kernels runs tests in virtual machines with the kernels of Debian's releases. The processor is emulated, so it needs neither rights nor
// hardware, and is ten times as slow.
package kernels

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// RunT runs tests of the calling package's own binary, by a pattern of their names, with another kernel, beside the package's testdata. It fails where
// they do, and returns what they printed. The calling test itself is left out. The binary must be static, as CGO_ENABLED=0 makes it.
func RunT(tb testing.TB, v Version, pattern string, limit time.Duration) string {
	tb.Helper()

	output, err := run(tb.TempDir(), v, pattern, topOf(tb), limit)
	if err != nil {
		tb.Fatalf("%v\n%s", err, output)
	}

	return output
}

// EachT does so with each kernel, and hands what the tests printed to check.
func EachT(t *testing.T, pattern string, limit time.Duration, check func(t *testing.T, output string)) {
	t.Helper()

	for _, v := range Versions() {
		t.Run(string(v), func(t *testing.T) {
			output := RunT(t, v, pattern, limit)
			t.Log(output)
			check(t, output)
		})
	}
}

// topOf is the name of the test that a test is part of.
func topOf(tb testing.TB) string {
	name, _, _ := strings.Cut(tb.Name(), "/")

	return name
}

func run(dir string, v Version, pattern, without string, limit time.Duration) (output string, err error) {
	m := machine{
		version: v,
		fill:    addTests,
		// They are the first process's.
		arguments: fmt.Sprintf("-test.v -test.timeout=%s -test.run=%s -test.skip=^%s$", limit, pattern, without),
	}

	return m.run(dir, limit+time.Minute)
}

// addTests adds a bare system for the tests, with the package's testdata.
func addTests(a *archive, test string) {
	for _, name := range []string{"dev", "proc", "sys", "tmp"} {
		a.directory(name)
	}

	addTest(a, test)

	if _, err := os.Stat("testdata"); err == nil {
		a.tree("package/testdata", "testdata")
	}
}

// addTest adds the test's binary.
func addTest(a *archive, test string) {
	a.directory("package")
	a.program(filepath.Join("package", "test"), test)
	// It makes the package's directory one that builddir takes for the repository.
	a.text("package/go.mod", "")
}
