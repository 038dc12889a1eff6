// Package terminal tells whether a person reads what is printed.
package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// Is tells whether the file is a terminal (ioctl_tty(2), TCGETS).
func Is(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)

	return err == nil
}
