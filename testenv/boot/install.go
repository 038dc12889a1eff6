// Package boot boots a Debian 12 with its real systemd for tests: in a container of its own, without the network, from a tree under build/ that it never changes.
// It needs root and Linux's overlayfs, and nothing that is not in a minimal Debian or fetched by this repository.
package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
)

const (
	suite = "bookworm"
	// layout is raised when the tree is to be made in another way from the same packages.
	layout = "2"
	// configureLimit is many times what it takes on a small machine.
	configureLimit = 10 * time.Minute
	// agentPackage is left out of the tree: its dependencies are there, so that a test can install it as an administrator does.
	agentPackage = "zabbix-agent2"
)

// packages are what the tree has, with what they depend on. usr-is-merged spares it perl, which merges other trees.
var packages = []string{
	"apt", "usr-is-merged", "systemd", "systemd-sysv", "dbus", "libpam-systemd", "iproute2", "procps", "nginx", "curl", "ca-certificates", agentPackage,
}

// Install makes the Debian tree under build/machine where it is not there yet and returns its path: some 51 MB are fetched, 170 MB are made.
func Install() (tree string, err error) {
	dir, err := builddir.Path("machine")
	if err != nil {
		return "", err
	}
	version := strings.Join(append([]string{layout, suite}, packages...), " ")
	if err := builddir.Once(dir, version, makeTree); err != nil {
		return "", fmt.Errorf("cannot make a Debian tree: %w", err)
	}
	return filepath.Join(dir, "tree"), nil
}

func makeTree(dir string) error {
	if os.Geteuid() != 0 {
		return errors.New("its files belong to other users; run this as root")
	}
	lists, err := builddir.Path("apt")
	if err != nil {
		return err
	}
	debs, err := debian.Open(lists).Closure(suite, packages...)
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	if err := mergeUsr(tree); err != nil {
		return err
	}
	var names []string
	for _, deb := range debs {
		name := filepath.Base(deb)
		if strings.HasPrefix(name, agentPackage+"_") {
			continue
		}
		if err := debian.Unpack(deb, tree); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := configure(tree, filepath.Dir(debs[0]), names); err != nil {
		return err
	}
	return settle(tree)
}

// mergeUsr makes the directories that Debian 12 has as links into /usr, which no package contains.
func mergeUsr(tree string) error {
	var all error
	for _, name := range []string{"bin", "lib", "lib64", "sbin"} {
		all = errors.Join(all, os.MkdirAll(filepath.Join(tree, "usr", name), 0o755), os.Symlink(filepath.Join("usr", name), filepath.Join(tree, name)))
	}
	if all != nil {
		return fmt.Errorf("cannot begin a tree: %w; free space on its disk", all)
	}
	return nil
}

// debsInside is where the packages are while they are configured.
// debsInside is where the packages are while they are configured.
const debsInside = "/mnt"

// configureScript has dpkg install all unpacked packages: --force-depends, because they come all at once. policy-rc.d keeps services from starting.
const configureScript = `set -e
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
dpkg --install --force-depends --force-unsafe-io "$@"
rm /usr/sbin/policy-rc.d
audit=$(dpkg --audit)
[ -z "$audit" ] || { echo "$audit"; exit 1; }`

// configure has dpkg in the unpacked tree install its packages, which lie in the directory debs.
func configure(tree, debs string, names []string) error {
	console, err := os.CreateTemp("", "machine")
	if err != nil {
		return fmt.Errorf("cannot make a file for dpkg's output: %w; free space in %s", err, os.TempDir())
	}
	defer func() { _ = errors.Join(console.Close(), os.Remove(console.Name())) }()
	arguments := []string{
		"--directory=" + tree, "--pipe", "--quiet", "--bind-ro=" + debs + ":" + debsInside, "--chdir=" + debsInside,
		"--setenv=DEBIAN_FRONTEND=noninteractive", "--setenv=DEBCONF_NONINTERACTIVE_SEEN=true", "/bin/sh", "-c", configureScript, "sh",
	}
	c, err := startContainer(console, "", append(arguments, names...)...)
	if err != nil {
		return err
	}
	select {
	case <-c.exited:
	case <-time.After(configureLimit):
	}
	if err := c.kill(); err != nil {
		return err
	}
	if c.status() != 0 {
		return fmt.Errorf("cannot configure its packages within %s: dpkg ended with status %d; mend what it says: %s", configureLimit, c.status(), tail(console.Name()))
	}
	return nil
}

// settle makes the tree a machine that boots to its services, with a name, and with an id of its own at each first boot.
func settle(tree string) error {
	files := map[string]string{
		"machine-id": "",
		"hostname":   machineName + "\n",
		"hosts":      "127.0.0.1 localhost " + machineName + "\n::1 localhost\n",
	}
	all := os.Symlink("/lib/systemd/system/multi-user.target", filepath.Join(tree, "etc/systemd/system/default.target"))
	for name, content := range files {
		all = errors.Join(all, os.WriteFile(filepath.Join(tree, "etc", name), []byte(content), 0o644))
	}
	if all != nil {
		return fmt.Errorf("cannot finish a tree: %w; free space on its disk", all)
	}
	return nil
}
