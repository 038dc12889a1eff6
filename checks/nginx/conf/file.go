package conf

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

var errNoFile = errors.New("it is no regular file")

// read reads a regular file; nobody has us wait at a pipe.
func (w *walker) read(name string) ([]byte, error) {
	// To open some devices is to use them.
	info, err := fs.Stat(w.fsys, inside(name))
	if err != nil {
		return nil, reason(err)
	}

	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}

	file, err := w.fsys.Open(inside(name))
	if err != nil {
		return nil, reason(err)
	}
	defer func() { _ = file.Close() }()

	if info, err = file.Stat(); err != nil {
		return nil, reason(err)
	}

	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}

	if info.Size() > min(maxFile, w.left) {
		w.result.Incomplete = true

		return nil, errors.New("it is too large")
	}

	text, err := io.ReadAll(io.LimitReader(file, min(maxFile, w.left)))
	w.left -= int64(len(text))

	return text, err
}

// absolute is a path as nginx completes it.
func absolute(dir, name string) string {
	if path.IsAbs(name) {
		return name
	}

	return path.Join(dir, name)
}

// inside is a path as the file system below the root knows it.
func inside(name string) string {
	if name = strings.TrimPrefix(path.Clean(name), "/"); name == "" {
		return "."
	}

	return name
}

// reason is an error without the path, which the caller names.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}

	return err
}
