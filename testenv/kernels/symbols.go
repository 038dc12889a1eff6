package kernels

import (
	"errors"
	"fmt"
	"path/filepath"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

const (
	anySymbols = anyKernel + "-dbg"
	debugDir   = "usr/lib/debug"
)

// symbolFiles are what is unpacked of 1.7 GB: the kernel and two of its modules.
var symbolFiles = []string{"./" + debugDir + "/boot/vmlinux-*", "*/xfs.ko", "*/nf_conntrack.ko"}

// InstallSymbols fetches and unpacks the debug symbols of all kernels, and programs that read them, where they are not there yet: 600 MB that become 1 GB.
func InstallSymbols() error {
	if _, err := SymbolReaders(); err != nil {
		return err
	}

	for _, version := range Versions() {
		if _, _, err := version.DebugSymbols(); err != nil {
			return err
		}
	}

	return nil
}

// SymbolReaders are addr2line of binutils, for x86-64, and of elfutils.
func SymbolReaders() (*program.Bundle, error) {
	return program.Programs("addr2line", "binutils-x86-64-linux-gnu", "elfutils")
}

// DebugSymbols are those of a kernel: the root directory that they are installed below, and the kernel's release.
func (v Version) DebugSymbols() (root, release string, err error) {
	suite, ok := suites[v]
	if !ok {
		return "", "", fmt.Errorf("cannot fetch the debug symbols of Linux %s: Debian's are %v", v, Versions())
	}

	root, err = builddir.Path("kernels", string(v)+"-debug")
	if err != nil {
		return "", "", err
	}

	lists, err := builddir.Path("apt")
	if err != nil {
		return "", "", err
	}

	err = builddir.Once(root, suite, func(empty string) error {
		deb, err := newest(debian.Open(lists), suite, v, anySymbols)
		if err != nil {
			return err
		}

		return debian.Unpack(deb, empty, symbolFiles...)
	})
	if err != nil {
		return "", "", fmt.Errorf("cannot unpack the debug symbols of Linux %s: %w", v, err)
	}

	releases, err := filepath.Glob(filepath.Join(root, debugDir, "lib/modules/*"))
	if err != nil || len(releases) != 1 {
		return "", "", fmt.Errorf("cannot tell the release of Linux %s: %w; remove %s", v, errors.Join(err, fmt.Errorf("there are %d", len(releases))), root)
	}

	return root, filepath.Base(releases[0]), nil
}
