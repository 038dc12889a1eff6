package debian

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

const keyringPackage = "debian-archive-keyring"

// keyringFile is where the keyring's package puts the keys of all of Debian's releases.
const keyringFile = "usr/share/keyrings/debian-archive-keyring.gpg"

// keyring returns the keys that Debian signs its lists with: the system's, or else those of the package that the machine's own apt vouches for (Ubuntu has it).
func (a *Apt) keyring() ([]byte, error) {
	keys, err := os.ReadFile(filepath.Join("/", keyringFile))
	if err == nil {
		return keys, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read Debian's keys: %w; reinstall the package %s", err, keyringPackage)
	}
	dir := filepath.Join(a.dir, "keyring")
	if keys, err := os.ReadFile(filepath.Join(dir, keyringFile)); err == nil {
		return keys, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make a place for Debian's keys: %w; run this as the owner of the repository", err)
	}
	command := exec.Command("apt-get", "download", keyringPackage)
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot fetch Debian's keys: %w (%s); install the package %s", err, tail(output), keyringPackage)
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) == 0 {
		return nil, fmt.Errorf("cannot find the fetched package in %s; install the package %s", dir, keyringPackage)
	}
	if err := Unpack(debs[len(debs)-1], dir); err != nil {
		return nil, err
	}
	keys, err = os.ReadFile(filepath.Join(dir, keyringFile))
	if err != nil {
		return nil, fmt.Errorf("cannot find the keys in the fetched package: %w; install the package %s", err, keyringPackage)
	}
	return keys, nil
}
