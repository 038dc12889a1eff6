package zabbixserver

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// guard ends what runs in a directory, and removes the directory, when this process has died without doing so: a Zabbix server whose main process or database
// is gone would wait for the database for ever.
type guard struct {
	command *exec.Cmd
	alive   io.Closer
}

const (
	groupsDir = "groups"
	// guardScript waits until standard input ends. Its argument is the directory.
	guardScript = `read -r line
for file in "$0/` + groupsDir + `"/*; do
	read -r signal group <"$file" && kill -s "$signal" -- "-$group"
done
tries=0
until rm -rf "$0" || [ $tries = 50 ]; do tries=$((tries + 1)); sleep 0.1; done`
)

// startGuard watches over all that note will name in dir.
func startGuard(dir string) (*guard, error) {
	if err := os.MkdirAll(filepath.Join(dir, groupsDir), 0o755); err != nil {
		return nil, fmt.Errorf("cannot watch over %s: %w; free space on its disk", dir, err)
	}
	command := exec.Command("/bin/sh", "-c", guardScript, dir)
	// A terminal's Ctrl-C is for the tests.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	alive, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot watch over %s: %w; allow more processes", dir, err)
	}
	return &guard{command: command, alive: alive}, nil
}

// note has the guard end a server and its children by a signal, such as KILL.
func note(dir, name, signal string, process *program.Process) error {
	line := signal + " " + strconv.Itoa(process.PID()) + "\n"
	if err := os.WriteFile(filepath.Join(dir, groupsDir, name), []byte(line), 0o644); err != nil {
		return fmt.Errorf("cannot watch over %s: %w; free space on the disk of %s", name, err, dir)
	}
	return nil
}

// end removes the directory, in which nothing runs any more, and the guard.
func (g *guard) end(dir string) error {
	// No name, no signal: a process id may be somebody else's by now.
	err := os.RemoveAll(filepath.Join(dir, groupsDir))
	_ = g.alive.Close()
	// Its status is that of its last command, and whether the directory is gone is asked below.
	_ = g.command.Wait()
	if _, statErr := os.Lstat(dir); err == nil && statErr == nil {
		err = os.RemoveAll(dir)
	}
	if err != nil {
		return fmt.Errorf("cannot remove %s: %w; remove it by hand", dir, err)
	}
	return nil
}
