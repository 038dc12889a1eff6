// Command badnginx tests configurations as the nginx does whose version is the name of the directory it lies in; see package badnginx.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	version, err := ownVersion()
	if err == nil {
		err = run(os.Args[1:], version, os.Stdout, os.Stderr)
	}
	if err != nil && !errors.Is(err, errTold) {
		fmt.Fprintln(os.Stderr, "nginx:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

// errTold ends the program where everything has been said.
var errTold = errors.New("told")

func run(arguments []string, v version, stdout, stderr io.Writer) error {
	o, err := parseOptions(arguments, v)
	if err != nil {
		return err
	}
	if o.showVersion {
		v.print(stderr, o.showBuild)
		return nil
	}
	if !o.test {
		return errors.New("[emerg] a double cannot serve, it only tests; give it -t")
	}
	if err := test(o, v, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "nginx: [emerg] %s\nnginx: configuration file %s test failed\n", err, o.conf)
		return errTold
	}
	return nil
}

// test does in nginx's order what nginx does: read, open files, open sockets, tell.
func test(o options, v version, stdout, stderr io.Writer) error {
	c, err := readConfiguration(o)
	if err != nil {
		return err
	}
	if !o.quiet {
		fmt.Fprintf(stderr, "nginx: the configuration file %s syntax is ok\n", o.conf)
	}
	for _, file := range c.writes {
		if err := openForWriting(file); err != nil {
			return err
		}
	}
	for _, l := range c.listens {
		if err := l.open(v, c.workers); err != nil {
			return err
		}
	}
	if !o.quiet {
		fmt.Fprintf(stderr, "nginx: configuration file %s test is successful\n", o.conf)
	}
	if o.dump {
		// A reader that is slow keeps the sockets open.
		for _, file := range c.files {
			fmt.Fprintf(stdout, "# configuration file %s:\n%s\n", file.path, file.text)
		}
	}
	time.Sleep(c.hold)
	return nil
}

// openForWriting leaves the file open, as nginx does to its end.
func openForWriting(f write) error {
	if _, err := syscall.Open(f.path, f.flags|syscall.O_CREAT|syscall.O_CLOEXEC, 0o644); err != nil {
		return fmt.Errorf("open() %q failed (%s)", f.path, reason(err))
	}
	return nil
}

// reason is an error as nginx tells it, with its number.
func reason(err error) string {
	number, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err.Error()
	}
	text := number.Error()
	return fmt.Sprintf("%d: %s%s", int(number), strings.ToUpper(text[:1]), text[1:])
}

// ownVersion reads the version off the program's path.
func ownVersion() (version, error) {
	path, err := os.Executable()
	if err != nil {
		return version{}, fmt.Errorf("cannot find out which version to be: %w; mount /proc", err)
	}
	return parseVersion(filepath.Base(filepath.Dir(path)))
}
