package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// holdVariable has a double live longer with its sockets open; real nginx takes the directive too.
const holdVariable = "BADNGINX_HOLD"

// configuration is what a double knows of one.
type configuration struct {
	workers int
	hold    time.Duration
	listens []*listen
	writes  []write
	files   []file
}

// write is a file that a test opens for writing, and never writes to.
type write struct {
	path  string
	flags int
}

type file struct{ path, text string }

// loader reads a configuration and what it includes.
type loader struct {
	options options
	conf    configuration
}

func readConfiguration(o options) (configuration, error) {
	l := &loader{options: o, conf: configuration{workers: 1}}
	globals := reader{path: "command line", text: o.globals, line: 1}
	directives, err := globals.directives(false)
	if err == nil {
		err = l.apply(directives, globals.path)
	}
	if err == nil {
		err = l.load(o.conf, "")
	}
	return l.conf, err
}

// load reads a file; where tells which line wants it.
func (l *loader) load(path, where string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("open() %q failed (%s)%s", path, reason(err), where)
	}
	l.conf.files = append(l.conf.files, file{path: path, text: string(text)})
	r := reader{path: path, text: string(text), line: 1}
	directives, err := r.directives(false)
	if err != nil {
		return err
	}
	return l.apply(directives, path)
}

func (l *loader) apply(directives []directive, path string) error {
	for _, d := range directives {
		err := l.applyOne(d, fmt.Sprintf(" in %s:%d", path, d.line))
		if err == nil {
			err = l.apply(d.children, path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) applyOne(d directive, where string) error {
	if len(d.words) < 2 {
		return nil
	}
	value := d.words[1]
	switch d.words[0] {
	case "include":
		return l.include(value, where)
	case "listen":
		return l.listen(d.words[1:], where)
	case "worker_processes":
		if number, err := strconv.Atoi(value); err == nil {
			l.conf.workers = max(1, number)
		}
	case "env":
		if hold, found := strings.CutPrefix(value, holdVariable+"="); found {
			var err error
			if l.conf.hold, err = time.ParseDuration(hold); err != nil {
				return fmt.Errorf("cannot hold the sockets: %w%s", err, where)
			}
		}
	case "pid":
		l.conf.writes = append(l.conf.writes, write{path: absolute(l.options.prefix, value), flags: syscall.O_RDWR})
	case "access_log", "error_log":
		if value != "off" && value != "stderr" && !strings.ContainsAny(value, "$:") {
			l.conf.writes = append(l.conf.writes, write{path: absolute(l.options.prefix, value), flags: syscall.O_WRONLY | syscall.O_APPEND})
		}
	}
	return nil
}

func (l *loader) include(pattern, where string) error {
	pattern = absolute(filepath.Dir(l.options.conf), pattern)
	if !strings.ContainsAny(pattern, "*?[") {
		return l.load(pattern, where)
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("glob() %q failed%s", pattern, where)
	}
	for _, path := range paths {
		if err := l.load(path, where); err != nil {
			return err
		}
	}
	return nil
}

// listen takes a listen directive; those of one address are one.
func (l *loader) listen(words []string, where string) error {
	wanted, err := parseListen(words, where)
	if err != nil {
		return err
	}
	for _, known := range l.conf.listens {
		if known.text == wanted.text && known.udp == wanted.udp {
			known.reuseport = known.reuseport || wanted.reuseport
			return nil
		}
	}
	l.conf.listens = append(l.conf.listens, wanted)
	return nil
}
