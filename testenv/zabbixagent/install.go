// Package zabbixagent runs real Zabbix agents 2 of both supported versions for tests and the demo,
// from Debian's packages unpacked under build/, on private ports and sockets, without installing anything.
package zabbixagent

import (
	"fmt"
	"path/filepath"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
)

// Version is a Zabbix release series.
type Version string

// The supported versions; Debian bookworm has 6.0.14 and its backports 7.0.9.
const (
	V60 Version = "6.0"
	V70 Version = "7.0"
)

const (
	agentPackage = "zabbix-agent2"
	agentProgram = "usr/sbin/zabbix_agent2"
	librarySuite = "bookworm"
)

// Versions returns all versions, oldest first.
func Versions() []Version { return []Version{V60, V70} }

// Suite returns the release of Debian that has the version.
func (v Version) Suite() (string, error) {
	switch v {
	case V60:
		return "bookworm", nil
	case V70:
		return "bookworm-backports", nil
	}
	return "", fmt.Errorf("cannot tell where agent %q comes from; use one of %v", string(v), Versions())
}

// Binary is an unpacked agent.
type Binary struct {
	// Path is the program.
	Path string
	// Libraries are the directories of the shared libraries that this machine lacks, for LD_LIBRARY_PATH.
	Libraries []string
}

// Install returns the agent of a version, fetched and unpacked under build/agents where it is not there yet.
func Install(v Version) (Binary, error) {
	suite, err := v.Suite()
	if err != nil {
		return Binary{}, err
	}
	dir, err := builddir.Path("agents", string(v))
	if err != nil {
		return Binary{}, err
	}
	err = builddir.Once(dir, suite, func(empty string) error {
		lists, err := builddir.Path("apt")
		if err != nil {
			return err
		}
		return unpackAgent(debian.Open(lists), suite, empty)
	})
	if err != nil {
		return Binary{}, fmt.Errorf("cannot install Zabbix agent %s: %w", v, err)
	}
	libraries, err := libraryDirs(dir)
	return Binary{Path: filepath.Join(dir, agentProgram), Libraries: libraries}, err
}

func unpackAgent(apt *debian.Apt, suite, dir string) error {
	debs, err := apt.Download(suite, agentPackage)
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if err := debian.Unpack(deb, dir); err != nil {
			return err
		}
	}
	return completeLibraries(apt, dir, debs)
}
