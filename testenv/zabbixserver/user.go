package zabbixserver

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// nobody is an ordinary user and group that own nothing. PostgreSQL refuses root, and a user whom the machine has no name for.
const nobody = 65534

// ordinary makes a command run as nobody where the caller is root.
func ordinary(command *exec.Cmd) *exec.Cmd {
	command.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return command
}

// giveAway makes whoever the programs run as the owner of a directory and of all that is in it.
func giveAway(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	})
	if err != nil {
		return fmt.Errorf("cannot give %s to user %d: %w; run this as root with all its capabilities, or as an ordinary user", dir, nobody, err)
	}
	return nil
}

// reachable tells whether whoever the programs run as can run them where they are.
func reachable(bundle *program.Bundle, path string) error {
	// An absolute path needs no PATH, and -c nothing of the user's.
	command := ordinary(exec.Command("/bin/sh", "-c", `test -x "$0"`, bundle.Path(path)))
	if err := command.Run(); err != nil {
		return fmt.Errorf("cannot run %s as user %d, for root may run no PostgreSQL: %w; let others enter the repository's directory and those above it (chmod o+x)",
			bundle.Path(path), nobody, err)
	}
	return nil
}
