// Package pageserver runs sites of badsite in a process of their own, so that this process's CPU time and memory are the client's alone.
// A program or test binary becomes that process by calling Main first.
package pageserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/child"
)

// argument tells Main that Start started the process. The names of behaviors follow it.
const argument = "serve-pages-of"

// mainCalled keeps a program that does not call Main from starting itself again and again.
var mainCalled bool

// Main does not return where Start started the process: it serves until its standard input ends.
func Main() {
	mainCalled = true
	if len(os.Args) < 2 || os.Args[1] != argument {
		return
	}
	if err := serve(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve starts a site for each name and prints their URLs, one a line.
func serve(names []string) error {
	authority, err := badsite.NewAuthority()
	if err != nil {
		return err
	}
	for _, name := range names {
		behavior, err := badsite.Find(name)
		if err != nil {
			return err
		}
		server, err := badsite.Start(behavior, badsite.WithAuthority(authority))
		if err != nil {
			return err
		}
		defer server.Close()
		fmt.Println(server.URL())
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// Server is the process with the sites.
type Server struct {
	// URLs are those of the sites, in the order of their behaviors.
	URLs []string

	hold   io.Closer
	exited <-chan struct{}
}

// Start starts this program anew as a server with a site for each behavior, which must be one that badsite.Find knows.
// The process dies with this one. The caller must call Stop.
func Start(behaviors ...badsite.Behavior) (*Server, error) {
	if !mainCalled {
		return nil, errors.New("cannot start this program as a page server: it does not know how to be one; call pageserver.Main first in main or TestMain")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	cmd := exec.Command(self, argument)
	for _, b := range behaviors {
		cmd.Args = append(cmd.Args, b.Name)
	}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	hold, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pipe to the page server: %w; allow more open files", err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make a pipe from the page server: %w; allow more open files", err)
	}
	s := &Server{hold: hold}
	if s.exited, err = child.Start(cmd); err != nil {
		return nil, fmt.Errorf("cannot start the page server: %w; allow more processes", err)
	}
	lines := bufio.NewReader(output)
	for range behaviors {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("cannot read where the page server listens: %w; mend what it wrote on stderr", err)
		}
		s.URLs = append(s.URLs, strings.TrimSpace(line))
	}
	return s, nil
}

// Stop ends the process and waits for its end.
func (s *Server) Stop() {
	// An error means that the process has ended already.
	_ = s.hold.Close()
	<-s.exited
}
