package conf

import (
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Host is the file system of the calling thread, like os.DirFS("/"). Nobody has its reader wait: whoever may replace a file by a pipe can do so
// between the look at it and its opening.
func Host() fs.FS { return hostFiles{} }

type hostFiles struct{}

func (hostFiles) Open(name string) (fs.File, error) {
	return os.OpenFile(filepath.Join("/", name), os.O_RDONLY|unix.O_NONBLOCK, 0)
}

func (hostFiles) Stat(name string) (fs.FileInfo, error) { return os.Stat(filepath.Join("/", name)) }

func (hostFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	return os.ReadDir(filepath.Join("/", name))
}
