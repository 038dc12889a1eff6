package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

const (
	// maxFile is room for hundreds of instances.
	maxFile   = 64 << 10
	othersMay = 0o022
)

// read trusts the file by what is open, and its place by its path.
func read(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", absent(path)
	} else if err != nil {
		return "", fmt.Errorf("cannot read the helper's configuration: %w; let root read it", err)
	}
	defer func() { _ = file.Close() }()

	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, err)
	}

	owner, ok := info.Sys().(*syscall.Stat_t)

	switch {
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("cannot use %s: it is not a file; put one there or remove it", path)
	case !ok || owner.Uid != 0 && int(owner.Uid) != os.Geteuid():
		return "", fmt.Errorf("cannot use %s: it belongs to another user; run chown root %s", path, path)
	case info.Mode().Perm()&othersMay != 0:
		return "", fmt.Errorf("cannot use %s: it is writable for others; run chmod go-w %s", path, path)
	}

	if err := instance.SafeToRun(path); err != nil {
		return "", err
	}

	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, err)
	}

	if len(text) > maxFile {
		return "", fmt.Errorf("cannot use %s: it has more than %d bytes", path, maxFile)
	}

	return string(text), nil
}

// absent tells no file from a link to nothing, which nobody meant.
func absent(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("cannot use %s: it is a link to nothing; correct or remove it", path)
	}

	return nil
}
