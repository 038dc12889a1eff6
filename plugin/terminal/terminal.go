// Package terminal tells whether a person reads what is printed, what the terminal can show, and shows live views on it.
package terminal

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Is tells whether the file is a terminal (ioctl_tty(2), TCGETS).
func Is(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)

	return err == nil
}

// The size of a terminal that does not tell its own, such as a serial line.
const (
	usualColumns = 80
	usualRows    = 24
)

// Size returns how many columns and rows the terminal has (ioctl_tty(2), TIOCGWINSZ), or 80 and 24 where nobody knows.
func Size(file *os.File) (columns, rows int) {
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 || size.Row == 0 {
		return usualColumns, usualRows
	}

	return int(size.Col), int(size.Row)
}

// UTF8 tells whether the locale is one of UTF-8, locale(7); getenv is os.Getenv.
func UTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToLower(value)

			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}

	return false
}
