package kernels

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
	"zabbix-agent2-plugin-hosting/testenv/program"
)

// Version is a kernel that Debian has, by the first two numbers.
type Version string

// The versions.
const (
	Linux6_1  Version = "6.1"
	Linux6_12 Version = "6.12"
)

// Versions are all of them, the oldest first.
func Versions() []Version { return []Version{Linux6_1, Linux6_12} }

// suites of Debian are where the kernels are from.
var suites = map[Version]string{Linux6_1: "bookworm", Linux6_12: "trixie"}

// anyKernel depends on the newest kernel of a suite that is made for virtual machines.
const anyKernel = "linux-image-cloud-amd64"

// Install fetches and unpacks qemu and the kernels where they are not there yet: some 110 MB.
func Install() error {
	if _, err := emulator(); err != nil {
		return err
	}

	for _, version := range Versions() {
		if _, err := version.image(); err != nil {
			return err
		}
	}

	return nil
}

func emulator() (*program.Bundle, error) {
	return program.Programs("qemu", "qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
}

func (v Version) dir() (string, error) { return builddir.Path("kernels", string(v)) }

func (v Version) image() (string, error) {
	suite, ok := suites[v]
	if !ok {
		return "", fmt.Errorf("cannot run Linux %s: Debian's are %v", v, Versions())
	}

	dir, err := v.dir()
	if err != nil {
		return "", err
	}

	lists, err := builddir.Path("apt")
	if err != nil {
		return "", err
	}

	err = builddir.Once(dir, suite, func(empty string) error { return unpackKernel(debian.Open(lists), suite, v, empty) })
	if err != nil {
		return "", fmt.Errorf("cannot unpack Linux %s: %w", v, err)
	}

	images, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return "", fmt.Errorf("cannot find the image of Linux %s: %w; remove %s", v, errors.Join(err, fmt.Errorf("there are %d", len(images))), dir)
	}

	return images[0], nil
}

func unpackKernel(apt *debian.Apt, suite string, v Version, dir string) error {
	deb, err := newest(apt, suite, v, anyKernel)
	if err != nil {
		return err
	}

	return debian.Unpack(deb, dir)
}

// newest fetches the package of a kernel that a package without a version depends on.
func newest(apt *debian.Apt, suite string, v Version, depends string) (deb string, err error) {
	debs, err := apt.Download(suite, depends)
	if err != nil {
		return "", err
	}

	names, err := debian.Depends(debs[0])
	if err != nil {
		return "", err
	}

	for _, name := range names {
		if strings.HasPrefix(name, "linux-image-"+string(v)+".") || strings.HasPrefix(name, "linux-image-"+string(v)+"+") {
			debs, err := apt.Download(suite, name)
			if err != nil {
				return "", err
			}

			return debs[0], nil
		}
	}

	return "", fmt.Errorf("%s of Debian's %s has another version (%s)", depends, suite, strings.Join(names, " "))
}
